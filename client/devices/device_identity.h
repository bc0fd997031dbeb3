#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/devices/usb_device.h"
#include "common/error.h"

namespace usbloop::client {

/// What makes a device the same one when it is plugged in again: its ids and its serial number. Where it has no serial
/// number, or was named by its port, the port counts too, so that its twin never takes its place.
struct DeviceIdentity {
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
  std::string serial;
  std::string port;  ///< `1-2.3`, where it was
  bool bound_to_port = false;

  /// `0951:1666 with the serial number ABC`, `0951:1666 at port 1-2.3`; printable.
  [[nodiscard]] std::string label() const;
};

DeviceIdentity identity_of(const LocalDevice& device, bool named_by_port);

/// The one device that has the identity. Of several with one serial number (cheap devices share theirs) the one at its
/// old port. Errors: not_found, conflict (several, none of them at the old port: lists them).
Result<std::size_t> find_again(const std::vector<LocalDevice>& devices, const DeviceIdentity& identity);

}  // namespace usbloop::client
