#include "usbredir/endpoint_table.h"

#include <algorithm>
#include <iterator>

namespace usbloop::usbredir {
namespace {

std::uint8_t type_of(TransferType type) {
  switch (type) {
    case TransferType::control: return usb_redir_type_control;
    case TransferType::iso: return usb_redir_type_iso;
    case TransferType::bulk: return usb_redir_type_bulk;
    case TransferType::interrupt: return usb_redir_type_interrupt;
  }
  return usb_redir_type_invalid;
}

// QEMU refuses a periodic endpoint with interval 0, though devices with it exist.
std::uint8_t interval_of(const Endpoint& endpoint) {
  const bool periodic = endpoint.type == TransferType::iso || endpoint.type == TransferType::interrupt;
  return periodic ? std::max<std::uint8_t>(endpoint.interval, 1) : endpoint.interval;
}

}  // namespace

EndpointTable::EndpointTable(const Configuration& configuration) : configuration_(&configuration) {
  for (const AltSetting& setting : configuration.settings) {
    if (setting.alternate == 0) active_[setting.interface] = &setting;
  }
}

bool EndpointTable::select(std::uint8_t interface, std::uint8_t alternate) {
  const AltSetting* setting = configuration_ != nullptr ? configuration_->find(interface, alternate) : nullptr;
  if (setting == nullptr) return false;
  active_[interface] = setting;
  return true;
}

std::optional<std::uint8_t> EndpointTable::alternate(std::uint8_t interface) const {
  if (interface >= active_.size() || active_[interface] == nullptr) return std::nullopt;
  return active_[interface]->alternate;
}

const Endpoint* EndpointTable::endpoint(std::uint8_t address) const {
  for (const AltSetting* setting : active_) {
    if (setting == nullptr) continue;
    for (const Endpoint& endpoint : setting->endpoints) {
      if (endpoint.address == address) return &endpoint;
    }
  }
  return nullptr;
}

usb_redir_ep_info_header EndpointTable::ep_info() const {
  usb_redir_ep_info_header info{};
  std::fill(std::begin(info.type), std::end(info.type), std::uint8_t{usb_redir_type_invalid});
  info.type[index(0x00)] = info.type[index(0x80)] = usb_redir_type_control;
  for (const AltSetting* setting : active_) {
    if (setting == nullptr) continue;
    for (const Endpoint& endpoint : setting->endpoints) {
      const auto at = index(endpoint.address);
      info.type[at] = type_of(endpoint.type);
      info.interval[at] = interval_of(endpoint);
      info.interface[at] = setting->interface;
      info.max_packet_size[at] = endpoint.max_packet_size;
      info.max_streams[at] = endpoint.max_streams;
    }
  }
  return info;
}

usb_redir_interface_info_header EndpointTable::interface_info() const {
  usb_redir_interface_info_header info{};
  std::size_t count = 0;
  for (const AltSetting* setting : active_) {
    if (setting == nullptr) continue;
    info.interface[count] = setting->interface;
    info.interface_class[count] = setting->interface_class;
    info.interface_subclass[count] = setting->interface_subclass;
    info.interface_protocol[count] = setting->interface_protocol;
    ++count;
  }
  info.interface_count = static_cast<std::uint32_t>(count);
  return info;
}

}  // namespace usbloop::usbredir
