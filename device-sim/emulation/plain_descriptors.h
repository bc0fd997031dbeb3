#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "device-sim/emulation/descriptor_set.h"
#include "usbredir/descriptors.h"
#include "usbredir/host_end.h"

namespace usbloop::device_sim {

/// What a device's descriptors say of it besides its interfaces.
struct PlainDevice {
  std::uint8_t device_class = 0;  ///< 0: that of its interfaces
  std::uint8_t interfaces = 1;
  std::uint8_t attributes = 0x80;  ///< bmAttributes: bus-powered, no remote wake-up
  std::uint8_t max_power = 50;     ///< in 2 mA
  std::uint16_t release = 0x0100;  ///< BCD
  /// Writes all descriptors behind the configuration descriptor.
  void (*write_interfaces)(usbredir::DescriptorWriter& writer, usbredir::Speed speed) = nullptr;
};

/// What a device descriptor says besides the description (USB 2.0, 9.6.1).
struct DeviceHead {
  std::uint16_t usb_version;       ///< BCD
  std::uint8_t device_class;       ///< 0: that of its interfaces
  std::uint8_t control_packet;     ///< bytes; at super speed an exponent of two
  std::uint16_t release;           ///< BCD
  std::uint8_t serial_string = 3;  ///< 0: none. Manufacturer and product are strings 1 and 2
};
std::vector<std::byte> device_descriptor(const usbredir::DeviceDescription& description, const DeviceHead& head);

/// What a device of high speed would be at full speed (USB 2.0, 9.6.2).
std::vector<std::byte> device_qualifier(std::uint16_t usb_version, std::uint8_t device_class);

/// The descriptors of a USB 2.0 device with one configuration, at low, full or high speed (USB 2.0, 9.6).
DescriptorSet plain_descriptors(const usbredir::DeviceDescription& description, const PlainDevice& device);

}  // namespace usbloop::device_sim
