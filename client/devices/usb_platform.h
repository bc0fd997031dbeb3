#pragma once

#include <cstdint>
#include <string>

// What libusb does not tell: facts of the operating system about USB devices. One implementation per system.
namespace usbloop::client::platform {

/// Where a device is, as libusb knows it: `ports` is "1.4" behind a hub, empty when unknown. The address is 0 while the
/// device is being reset (about 0.1 s), and the same as before after it.
struct Place {
  std::uint8_t bus = 0;
  std::uint8_t address = 0;
  std::string ports;
};

/// The file that must be readable and writable to use the device: /dev/bus/usb/001/003. Empty where there is no such
/// file.
std::string device_node(const Place& place);

/// An attribute that the system knows without opening the device ("product", "manufacturer", "serial"). Empty when it
/// does not.
std::string attribute(const Place& place, const std::string& name);

/// The drivers bound to the device's interfaces at this moment, joined by commas; "none" when there is none, empty when
/// unknown. A program that holds the device shows as "usbfs", and as "none" while it resets the device.
std::string drivers(const Place& place);

/// Whether this process may open the device.
bool accessible(const Place& place);

/// Whether the system has USB at all.
bool has_usb();

/// Advice for someone who may not open the device.
std::string permission_hint(const Place& place, const std::string& vendor_id, const std::string& product_id);

}  // namespace usbloop::client::platform
