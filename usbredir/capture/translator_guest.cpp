#include <algorithm>
#include <utility>

#include "usbredir/capture/translator.h"
#include "usbredir/endpoint_table.h"

// What the guest's side says: the transfers that it begins.
namespace usbloop::capture {
namespace {

using usbredir::EndpointTable;
using usbredir::TransferType;

constexpr std::uint8_t kGuestIn = 0x80;

std::uint8_t low(std::uint16_t value) { return static_cast<std::uint8_t>(value); }
std::uint8_t high(std::uint16_t value) { return static_cast<std::uint8_t>(value >> 8); }

Setup setup_of(const usb_redir_control_packet_header& header) {
  return {header.requesttype, header.request,     low(header.value),  high(header.value),
          low(header.index),  high(header.index), low(header.length), high(header.length)};
}

/// A standard request that is a packet of its own in usbredir (usb.md section 2).
Setup standard_request(std::uint8_t request_type, std::uint8_t request, std::uint8_t value, std::uint8_t index,
                       std::uint8_t length) {
  return {request_type, request, value, 0, index, 0, length, 0};
}

}  // namespace

void Translator::take_guest_packet(Packet&& packet) {
  switch (packet.type) {
    case usb_redir_hello: capabilities_.take_hello(true, packet.header); break;
    case usb_redir_reset:
      note("The guest resets the device.");
      stop_streams(urb_status::kCancelled);
      break;
    case usb_redir_filter_reject: note("The guest side refuses the device by its filter."); break;
    case usb_redir_device_disconnect_ack: note("The guest side knows that the device is gone."); break;
    case usb_redir_cancel_data_packet: note("The guest cancels transfer " + std::to_string(packet.id) + "."); break;
    case usb_redir_control_packet:
    case usb_redir_bulk_packet:
    case usb_redir_iso_packet:
    case usb_redir_interrupt_packet: take_guest_data(std::move(packet)); break;
    default:
      take_guest_question(packet);
      take_stream_order(packet);
      break;
  }
}

/// The settings of configuration and interfaces, which are control transfers on the bus.
void Translator::take_guest_question(const Packet& packet) {
  constexpr std::uint8_t kToInterface = 0x01;
  switch (packet.type) {
    case usb_redir_set_configuration:
      begin_control(packet.id,
                    standard_request(0, 0x09, packet.as<usb_redir_set_configuration_header>().configuration, 0, 0));
      break;
    case usb_redir_get_configuration: begin_control(packet.id, standard_request(kGuestIn, 0x08, 0, 0, 1)); break;
    case usb_redir_set_alt_setting: {
      const auto header = packet.as<usb_redir_set_alt_setting_header>();
      begin_control(packet.id, standard_request(kToInterface, 0x0b, header.alt, header.interface, 0));
      break;
    }
    case usb_redir_get_alt_setting: {
      const auto header = packet.as<usb_redir_get_alt_setting_header>();
      begin_control(packet.id, standard_request(kGuestIn | kToInterface, 0x0a, 0, header.interface, 1));
      break;
    }
    default: break;
  }
}

void Translator::take_stream_order(const Packet& packet) {
  switch (packet.type) {
    case usb_redir_start_iso_stream: {
      const auto header = packet.as<usb_redir_start_iso_stream_header>();
      want_stream({TransferType::iso, header.endpoint, header.no_urbs, header.pkts_per_urb, 0});
      break;
    }
    case usb_redir_start_interrupt_receiving:
      want_stream({TransferType::interrupt, packet.as<usb_redir_start_interrupt_receiving_header>().endpoint, 1, 1, 0});
      break;
    case usb_redir_start_bulk_receiving: {
      const auto header = packet.as<usb_redir_start_bulk_receiving_header>();
      want_stream({TransferType::bulk, header.endpoint, header.no_transfers, 1, header.bytes_per_transfer});
      break;
    }
    case usb_redir_stop_iso_stream: stop_stream(packet.as<usb_redir_stop_iso_stream_header>().endpoint); break;
    case usb_redir_stop_interrupt_receiving:
      stop_stream(packet.as<usb_redir_stop_interrupt_receiving_header>().endpoint);
      break;
    case usb_redir_stop_bulk_receiving: stop_stream(packet.as<usb_redir_stop_bulk_receiving_header>().endpoint); break;
    case usb_redir_alloc_bulk_streams: note("The guest asks for bulk streams."); break;
    case usb_redir_free_bulk_streams: note("The guest frees bulk streams."); break;
    default: break;
  }
}

void Translator::want_stream(const InputStream::Shape& shape) {
  if ((shape.endpoint & kGuestIn) == 0) return;  // what goes to the device comes with ids of its own
  const std::size_t index = EndpointTable::index(shape.endpoint);
  wanted_[index] = shape;
  if (shape.length == 0) wanted_[index]->length = packet_sizes_[index];
}

void Translator::take_guest_data(Packet&& packet) {
  if (packet.type == usb_redir_control_packet) {
    begin_control(packet.id, setup_of(packet.as<usb_redir_control_packet_header>()), std::move(packet.data));
    return;
  }
  Urb urb;
  urb.id = packet.id;
  urb.length = static_cast<std::uint32_t>(packet.data_size);
  if (packet.type == usb_redir_bulk_packet) {
    const auto header = packet.as<usb_redir_bulk_packet_header>();
    urb.type = TransferType::bulk;
    urb.endpoint = header.endpoint;
    urb.length = std::uint32_t{header.length} | std::uint32_t{header.length_high} << 16;
    if (header.stream_id != 0) note("stream " + std::to_string(header.stream_id));
  } else {
    // Both headers are the same: endpoint, status, length.
    urb.type = packet.type == usb_redir_iso_packet ? TransferType::iso : TransferType::interrupt;
    urb.endpoint = packet.as<usb_redir_interrupt_packet_header>().endpoint;
  }
  urb.whole = packet.data_size;
  urb.data = std::move(packet.data);
  if (urb.type != TransferType::iso) return begin(std::move(urb));
  // Nobody tells how an isochronous packet to the device has ended.
  urb.packets.push_back({urb_status::kNotYet, 0, urb.length});
  Urb over = urb;
  over.data.clear();
  over.whole = 0;
  over.packets.front().status = urb_status::kSuccess;
  begin(std::move(urb));
  finish(std::move(over));
}

}  // namespace usbloop::capture
