#include "common/log.h"
#include "device-sim/emulation/emulated_host.h"

// Configurations, alternate settings and bulk streams of EmulatedHost. usb.md sections 1 and 8.
namespace usbloop::device_sim {
namespace {

using usbredir::EndpointTable;

std::uint8_t wire_of(TransferStatus status) { return static_cast<std::uint8_t>(status); }

std::uint8_t address_of(unsigned index) { return static_cast<std::uint8_t>((index & 0x10) << 3 | (index & 0x0f)); }

}  // namespace

void EmulatedHost::on_set_configuration(std::uint64_t id, const usb_redir_set_configuration_header& header) {
  if (!in_use()) return;
  spdlog::debug("usbredir: the guest sets configuration {}", header.configuration);
  const bool known = header.configuration == 0 || header.configuration == configuration_.value;
  if (known) {
    configured_ = header.configuration;
    endpoints_ = configured_ == 0 ? EndpointTable() : EndpointTable(configuration_);
    forget_transfers();
    device_->reset();
  }
  announce_endpoints();
  parser_.send(id, usb_redir_configuration_status_header{
                       wire_of(known ? TransferStatus::success : TransferStatus::stall), configured_});
}

void EmulatedHost::on_get_configuration(std::uint64_t id) {
  parser_.send(id, usb_redir_configuration_status_header{wire_of(TransferStatus::success), configured_});
}

void EmulatedHost::on_set_alt_setting(std::uint64_t id, const usb_redir_set_alt_setting_header& header) {
  if (!in_use()) return;
  const usb_redir_ep_info_header before = endpoints_.ep_info();
  const bool known = endpoints_.select(header.interface, header.alt);
  if (known) {
    spdlog::debug("usbredir: the guest chooses alternate setting {} of interface {}", header.alt, header.interface);
    for (std::size_t index = 0; index < waiting_.size(); ++index) {
      const bool has_transfers =
          before.type[index] == usb_redir_type_bulk || before.type[index] == usb_redir_type_interrupt;
      const bool concerned = has_transfers && before.interface[index] == header.interface;
      if (concerned) start_endpoint(index);
      if (before.interface[index] == header.interface) stop_iso(address_of(static_cast<unsigned>(index)));
    }
    device_->select(header.interface, header.alt);
  }
  announce_endpoints();
  parser_.send(id, usb_redir_alt_setting_status_header{wire_of(known ? TransferStatus::success : TransferStatus::stall),
                                                       header.interface, header.alt});
  serve_waiting();  // the device may have something to say of it
}

void EmulatedHost::on_get_alt_setting(std::uint64_t id, const usb_redir_get_alt_setting_header& header) {
  const auto alternate = endpoints_.alternate(header.interface);
  parser_.send(id,
               usb_redir_alt_setting_status_header{wire_of(alternate ? TransferStatus::success : TransferStatus::stall),
                                                   header.interface, alternate.value_or(0)});
}

/// Every endpoint named by a bit of `endpoints` is there and can have `count` streams.
bool EmulatedHost::may_have_streams(std::uint32_t endpoints, std::uint32_t count) const {
  if (configured_ == 0 || endpoints == 0) return false;
  for (unsigned index = 0; index < streams_.size(); ++index) {
    if ((endpoints >> index & 1) == 0) continue;
    const auto* endpoint = endpoints_.endpoint(address_of(index));
    if (endpoint == nullptr || endpoint->max_streams == 0 || count > endpoint->max_streams) return false;
  }
  return true;
}

void EmulatedHost::set_streams(std::uint32_t endpoints, std::uint32_t count) {
  for (unsigned index = 0; index < streams_.size(); ++index) {
    if ((endpoints >> index & 1) == 0) continue;
    cancel_waiting(index);
    streams_[index] = count;
    device_->set_streams(address_of(index), count);
  }
}

void EmulatedHost::on_alloc_bulk_streams(std::uint64_t id, const usb_redir_alloc_bulk_streams_header& header) {
  if (!in_use()) return;
  spdlog::debug("usbredir: the guest wants {} streams on endpoints {:08x}", header.no_streams, header.endpoints);
  const bool granted = header.no_streams > 0 && may_have_streams(header.endpoints, header.no_streams);
  if (granted) set_streams(header.endpoints, header.no_streams);
  const auto status = granted ? TransferStatus::success : TransferStatus::invalid;
  parser_.send(
      id, usb_redir_bulk_streams_status_header{header.endpoints, granted ? header.no_streams : 0, wire_of(status)});
}

// QEMU gives a device up whose answer is no success (usb.md section 8), and streams that are not there are as good as
// given back.
void EmulatedHost::on_free_bulk_streams(std::uint64_t id, const usb_redir_free_bulk_streams_header& header) {
  if (!in_use()) return;
  if (may_have_streams(header.endpoints, 0)) set_streams(header.endpoints, 0);
  parser_.send(id, usb_redir_bulk_streams_status_header{header.endpoints, 0, wire_of(TransferStatus::success)});
}

}  // namespace usbloop::device_sim
