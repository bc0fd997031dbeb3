#pragma once

#include <usbredirproto.h>

#include <array>
#include <cstdint>
#include <optional>

#include "usbredir/descriptors.h"

namespace usbloop::usbredir {

/// What is active in a device now: one configuration, and an alternate setting of each interface. Makes the two packets
/// that tell the usb-guest side about it. Send them before device_connect, and again before every configuration_status
/// and alt_setting_status.
class EndpointTable {
 public:
  /// An unconfigured device.
  EndpointTable() = default;
  /// `configuration` with all interfaces in alternate setting 0. It must outlive the table.
  explicit EndpointTable(const Configuration& configuration);

  /// False when the configuration has no such setting.
  bool select(std::uint8_t interface, std::uint8_t alternate);
  /// The alternate setting in use; nothing when there is no such interface.
  [[nodiscard]] std::optional<std::uint8_t> alternate(std::uint8_t interface) const;

  /// The active endpoint with this address; null when there is none.
  [[nodiscard]] const Endpoint* endpoint(std::uint8_t address) const;

  [[nodiscard]] usb_redir_ep_info_header ep_info() const;
  [[nodiscard]] usb_redir_interface_info_header interface_info() const;

  /// usbredir's index of an endpoint: 0-15 OUT, 16-31 IN.
  static constexpr std::size_t index(std::uint8_t address) {
    return static_cast<std::size_t>(((address & 0x80) >> 3) | (address & 0x0f));
  }

 private:
  const Configuration* configuration_ = nullptr;
  std::array<const AltSetting*, 32> active_{};  ///< by interface number
};

}  // namespace usbloop::usbredir
