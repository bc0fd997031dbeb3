#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "common/error.h"

namespace usbloop::usbredir {

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

/// A port of this machine, as sysfs names it: the bus, then the port of each hub down to the device.
struct PortPath {
  std::string path;  ///< `1-2.3`
  bool operator==(const PortPath&) const = default;
};

/// The serial number that the device itself tells.
struct SerialNumber {
  std::string serial;
  bool operator==(const SerialNumber&) const = default;
};

using Selector = std::variant<VendorProduct, BusDevice, PortPath, SerialNumber>;

/// Reads a selector. The form decides, never what happens to be plugged in:
///
///     0951:1666      VENDOR:PRODUCT, hexadecimal, one to four digits each
///     1-3, 01-03     BUS-DEVICE, decimal, leading zeros allowed
///     001:003        BUS:DEVICE as lsusb prints and takes it: three decimal digits each, for ids are printed with four
///     1-2.3          a port path that has a dot
///     port=1-2       any port path
///     serial=ABC     a serial number, exactly as the device tells it
///
/// ErrorKind::invalid with a hint for everything else.
Result<Selector> parse_selector(const std::string& text);

/// `0951:1666`, `1-3`, `port=1-2`, `serial=ABC`.
std::string to_string(const Selector& selector);

}  // namespace usbloop::usbredir
