#include "usbredir/parser_callbacks.h"

#include <usbredirfilter.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string_view>

namespace usbloop::usbredir {

template <typename Call>
void ParserCallbacks::deliver(void* priv, Call&& call) {
  auto& parser = *static_cast<Parser*>(priv);
  try {
    call(parser.handler_);
  } catch (const std::exception& error) {
    parser.fail(error.what());
  }
}

void ParserCallbacks::log(void* priv, int level, const char* text) {
  if (level == usbredirparser_error) static_cast<Parser*>(priv)->complaint_ = text;
}

void ParserCallbacks::install(usbredirparser& target, Parser& owner) {
  target.priv = &owner;
  target.log_func = log;
  target.read_func = [](void* priv, std::uint8_t* data, int count) {
    return static_cast<Parser*>(priv)->read(data, count);
  };
  target.write_func = [](void* priv, std::uint8_t* data, int count) {
    return static_cast<Parser*>(priv)->write(data, count);
  };
  target.hello_func = [](void* priv, usb_redir_hello_header* hello) {
    const std::string_view version(hello->version, strnlen(hello->version, sizeof hello->version));
    deliver(priv, [&](PacketHandler& handler) { handler.on_hello(version); });
  };
  install_control(target);
  install_status(target);
  install_data(target);
}

// One line per packet type; the macros only name the header and the handler's function.
#define USBLOOP_WITHOUT_ID(packet)                                       \
  [](void* priv, usb_redir_##packet##_header* header) {                  \
    deliver(priv, [&](auto& handler) { handler.on_##packet(*header); }); \
  }
#define USBLOOP_WITH_ID(packet)                                              \
  [](void* priv, std::uint64_t id, usb_redir_##packet##_header* header) {    \
    deliver(priv, [&](auto& handler) { handler.on_##packet(id, *header); }); \
  }
#define USBLOOP_WITH_DATA(packet)                                                                              \
  [](void* priv, std::uint64_t id, usb_redir_##packet##_packet_header* header, std::uint8_t* data, int size) { \
    Payload payload(data, size);                                                                               \
    deliver(priv, [&](auto& handler) { handler.on_##packet(id, *header, std::move(payload)); });               \
  }

void ParserCallbacks::install_control(usbredirparser& target) {
  target.reset_func = [](void* priv) { deliver(priv, [](auto& handler) { handler.on_reset(); }); };
  target.set_configuration_func = USBLOOP_WITH_ID(set_configuration);
  target.get_configuration_func = [](void* priv, std::uint64_t id) {
    deliver(priv, [&](auto& handler) { handler.on_get_configuration(id); });
  };
  target.set_alt_setting_func = USBLOOP_WITH_ID(set_alt_setting);
  target.get_alt_setting_func = USBLOOP_WITH_ID(get_alt_setting);
  target.start_iso_stream_func = USBLOOP_WITH_ID(start_iso_stream);
  target.stop_iso_stream_func = USBLOOP_WITH_ID(stop_iso_stream);
  target.start_interrupt_receiving_func = USBLOOP_WITH_ID(start_interrupt_receiving);
  target.stop_interrupt_receiving_func = USBLOOP_WITH_ID(stop_interrupt_receiving);
  target.alloc_bulk_streams_func = USBLOOP_WITH_ID(alloc_bulk_streams);
  target.free_bulk_streams_func = USBLOOP_WITH_ID(free_bulk_streams);
  target.start_bulk_receiving_func = USBLOOP_WITH_ID(start_bulk_receiving);
  target.stop_bulk_receiving_func = USBLOOP_WITH_ID(stop_bulk_receiving);
  target.cancel_data_packet_func = [](void* priv, std::uint64_t id) {
    deliver(priv, [&](auto& handler) { handler.on_cancel_data_packet(id); });
  };
  target.filter_reject_func = [](void* priv) { deliver(priv, [](auto& handler) { handler.on_filter_reject(); }); };
  // The peer's filter is the peer's own business: it applies it and answers with filter_reject.
  target.filter_filter_func = [](void*, usbredirfilter_rule* rules, int) { std::free(rules); };
  target.device_disconnect_ack_func = [](void* priv) {
    deliver(priv, [](auto& handler) { handler.on_device_disconnect_ack(); });
  };
}

void ParserCallbacks::install_status(usbredirparser& target) {
  target.device_connect_func = USBLOOP_WITHOUT_ID(device_connect);
  target.device_disconnect_func = [](void* priv) {
    deliver(priv, [](auto& handler) { handler.on_device_disconnect(); });
  };
  target.interface_info_func = USBLOOP_WITHOUT_ID(interface_info);
  target.ep_info_func = USBLOOP_WITHOUT_ID(ep_info);
  target.configuration_status_func = USBLOOP_WITH_ID(configuration_status);
  target.alt_setting_status_func = USBLOOP_WITH_ID(alt_setting_status);
  target.iso_stream_status_func = USBLOOP_WITH_ID(iso_stream_status);
  target.interrupt_receiving_status_func = USBLOOP_WITH_ID(interrupt_receiving_status);
  target.bulk_streams_status_func = USBLOOP_WITH_ID(bulk_streams_status);
  target.bulk_receiving_status_func = USBLOOP_WITH_ID(bulk_receiving_status);
}

void ParserCallbacks::install_data(usbredirparser& target) {
  target.control_packet_func = USBLOOP_WITH_DATA(control);
  target.bulk_packet_func = USBLOOP_WITH_DATA(bulk);
  target.iso_packet_func = USBLOOP_WITH_DATA(iso);
  target.interrupt_packet_func = USBLOOP_WITH_DATA(interrupt);
  target.buffered_bulk_packet_func = USBLOOP_WITH_DATA(buffered_bulk);
}

}  // namespace usbloop::usbredir
