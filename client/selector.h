#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "common/error.h"

namespace usbloop::client {

/// A kind of device, as lsusb prints it after "ID".
struct VendorProduct {
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
  bool operator==(const VendorProduct&) const = default;
};

/// One place on this machine, as lsusb prints it after "Bus" and "Device".
struct BusDevice {
  std::uint8_t bus = 0;
  std::uint8_t device = 0;
  bool operator==(const BusDevice&) const = default;
};

using Selector = std::variant<VendorProduct, BusDevice>;

/// Reads `VENDOR:PRODUCT` (hexadecimal, one to four digits each) or `BUS-DEVICE` (decimal, leading zeros allowed), the
/// two forms that virtctl and usbredirect take. ErrorKind::invalid with a hint for everything else.
Result<Selector> parse_selector(const std::string& text);

/// `0951:1666` or `1-3`.
std::string to_string(const Selector& selector);

}  // namespace usbloop::client
