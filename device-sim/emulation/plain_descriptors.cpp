#include "device-sim/emulation/plain_descriptors.h"

namespace usbloop::device_sim {
namespace {

using usbredir::DescriptorWriter;
using usbredir::Speed;
namespace type = usbredir::descriptor_type;

// 1.10 below high speed, so that no guest asks a device that knows no higher speed for its qualifier.
std::uint16_t version_at(Speed speed) { return speed == Speed::high ? 0x0200 : 0x0110; }
std::uint8_t control_packet_at(Speed speed) { return speed == Speed::low ? 8 : 64; }

std::vector<std::byte> plain_configuration(std::uint8_t descriptor, Speed speed, const PlainDevice& device) {
  DescriptorWriter writer;
  writer.begin(descriptor).u16(0).u8(device.interfaces).u8(1).u8(0).u8(device.attributes).u8(device.max_power);
  device.write_interfaces(writer, speed);
  return writer.finish(2);
}

}  // namespace

std::vector<std::byte> device_descriptor(const usbredir::DeviceDescription& description, const DeviceHead& head) {
  DescriptorWriter writer;
  writer.begin(type::kDevice).u16(head.usb_version).u8(head.device_class).u8(0).u8(0).u8(head.control_packet);
  writer.u16(description.vendor_id).u16(description.product_id).u16(head.release);
  writer.u8(1).u8(2).u8(head.serial_string).u8(1);
  return writer.finish();
}

std::vector<std::byte> device_qualifier(std::uint16_t usb_version, std::uint8_t device_class) {
  DescriptorWriter writer;
  writer.begin(type::kDeviceQualifier).u16(usb_version).u8(device_class).u8(0).u8(0).u8(64).u8(1).u8(0);
  return writer.finish();
}

DescriptorSet plain_descriptors(const usbredir::DeviceDescription& description, const PlainDevice& device) {
  const Speed speed = description.speed;
  const bool has_serial = !description.serial.empty();
  DescriptorSet set;
  set.device = device_descriptor(description, {version_at(speed), device.device_class, control_packet_at(speed),
                                               device.release, static_cast<std::uint8_t>(has_serial ? 3 : 0)});
  set.configuration = plain_configuration(type::kConfiguration, speed, device);
  if (speed == Speed::high) {
    set.device_qualifier = device_qualifier(version_at(speed), device.device_class);
    set.other_speed_configuration = plain_configuration(type::kOtherSpeedConfiguration, Speed::full, device);
  }
  set.strings = {description.manufacturer, description.product};
  if (has_serial) set.strings.push_back(description.serial);
  return set;
}

}  // namespace usbloop::device_sim
