#include "device-sim/storage/storage_descriptors.h"

#include <vector>

#include "device-sim/emulation/plain_descriptors.h"
#include "device-sim/storage/bulk_only.h"

namespace usbloop::device_sim {
namespace {

using usbredir::DescriptorWriter;
using usbredir::Speed;
namespace type = usbredir::descriptor_type;

constexpr std::uint8_t kMassStorage = 0x08, kScsiTransparent = 0x06, kBulkOnlyTransport = 0x50, kBulk = 2;

/// What differs between the speeds (USB 2.0, 5.8.3; USB 3.2, 9.6).
struct SpeedTraits {
  std::uint16_t usb_version;    ///< BCD
  std::uint8_t control_packet;  ///< bytes; at super speed an exponent of two
  std::uint16_t bulk_packet;    ///< bytes
  std::uint8_t max_power;       ///< in the unit of the speed: 2 mA, at super speed 8 mA
};

SpeedTraits traits_of(Speed speed) {
  switch (speed) {
    case Speed::super: return {0x0300, 9, 1024, 63};
    case Speed::high: return {0x0200, 64, 512, 150};
    // 1.10, so that no guest asks a device that knows no higher speed for its qualifier.
    default: return {0x0110, 64, 64, 50};
  }
}

void write_endpoint(DescriptorWriter& writer, std::uint8_t address, Speed speed) {
  writer.begin(type::kEndpoint).u8(address).u8(kBulk).u16(traits_of(speed).bulk_packet).u8(0);
  constexpr std::uint8_t kMaxBurst = 15;
  if (speed == Speed::super) writer.begin(type::kSuperspeedCompanion).u8(kMaxBurst).u8(0).u16(0);
}

std::vector<std::byte> configuration(std::uint8_t descriptor, Speed speed, WriteInterface write_interface) {
  DescriptorWriter writer;
  writer.begin(descriptor).u16(0).u8(1).u8(1).u8(0).u8(0x80).u8(traits_of(speed).max_power);
  write_interface(writer, speed);
  return writer.finish(2);
}

std::vector<std::byte> binary_object_store() {
  constexpr std::uint8_t kUsb2Extension = 2, kSuperspeed = 3;
  constexpr std::uint32_t kLinkPowerManagement = 0x02;
  constexpr std::uint16_t kFullToSuper = 0x000e;
  DescriptorWriter writer;
  writer.begin(type::kBos).u16(0).u8(2);
  writer.begin(type::kDeviceCapability).u8(kUsb2Extension).u32(kLinkPowerManagement);
  // Works fully from full speed on; exit latencies of U1 10 us and U2 2047 us.
  writer.begin(type::kDeviceCapability).u8(kSuperspeed).u8(0).u16(kFullToSuper).u8(1).u8(10).u16(2047);
  return writer.finish(2);
}

}  // namespace

void write_bulk_only_interface(DescriptorWriter& writer, Speed speed) {
  writer.begin(type::kInterface).u8(0).u8(0).u8(2).u8(kMassStorage).u8(kScsiTransparent).u8(kBulkOnlyTransport).u8(0);
  write_endpoint(writer, BulkOnly::kEndpointIn, speed);
  write_endpoint(writer, BulkOnly::kEndpointOut, speed);
}

DescriptorSet storage_descriptors(const usbredir::DeviceDescription& description, WriteInterface write_interface,
                                  std::uint16_t release) {
  const SpeedTraits traits = traits_of(description.speed);
  DescriptorSet set;
  constexpr std::uint8_t kClassOfInterface = 0;
  set.device = device_descriptor(description, {traits.usb_version, kClassOfInterface, traits.control_packet, release});
  set.configuration = configuration(type::kConfiguration, description.speed, write_interface);
  if (description.speed == Speed::super) set.bos = binary_object_store();
  if (description.speed == Speed::high) {
    set.device_qualifier = device_qualifier(traits.usb_version, kClassOfInterface);
    // At full speed there is Bulk-Only alone: UAS begins at high speed.
    set.other_speed_configuration =
        configuration(type::kOtherSpeedConfiguration, Speed::full, write_bulk_only_interface);
  }
  set.strings = {description.manufacturer, description.product, description.serial};
  return set;
}

}  // namespace usbloop::device_sim
