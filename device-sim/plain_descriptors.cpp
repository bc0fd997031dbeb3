#include "device-sim/plain_descriptors.h"

#include <vector>

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

DescriptorSet plain_descriptors(const usbredir::DeviceDescription& description, const PlainDevice& device) {
  const Speed speed = description.speed;
  DescriptorSet set;
  set.device = DescriptorWriter()
                   .begin(type::kDevice)
                   .u16(version_at(speed))
                   .u8(device.device_class)
                   .u8(0)
                   .u8(0)
                   .u8(control_packet_at(speed))
                   .u16(description.vendor_id)
                   .u16(description.product_id)
                   .u16(device.release)
                   .u8(1)
                   .u8(2)
                   .u8(description.serial.empty() ? 0 : 3)  // strings: manufacturer, product, serial
                   .u8(1)
                   .finish();
  set.configuration = plain_configuration(type::kConfiguration, speed, device);
  if (speed == Speed::high) {
    set.device_qualifier = DescriptorWriter()
                               .begin(type::kDeviceQualifier)
                               .u16(version_at(speed))
                               .u8(device.device_class)
                               .u8(0)
                               .u8(0)
                               .u8(64)
                               .u8(1)
                               .u8(0)
                               .finish();
    set.other_speed_configuration = plain_configuration(type::kOtherSpeedConfiguration, Speed::full, device);
  }
  set.strings = {description.manufacturer, description.product};
  if (!description.serial.empty()) set.strings.push_back(description.serial);
  return set;
}

}  // namespace usbloop::device_sim
