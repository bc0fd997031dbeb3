#pragma once

#include <cstdint>

#include "device-sim/emulation/descriptor_set.h"
#include "usbredir/descriptors.h"
#include "usbredir/host_end.h"

namespace usbloop::device_sim {

/// Writes the descriptors behind a configuration descriptor, of one interface with all its alternate settings.
using WriteInterface = void (*)(usbredir::DescriptorWriter& writer, usbredir::Speed speed);

/// The descriptors of a storage device with one interface, at the speed that `description` names: full, high or super.
/// `release` is the device's own, BCD.
DescriptorSet storage_descriptors(const usbredir::DeviceDescription& description, WriteInterface write_interface,
                                  std::uint16_t release = 0x0110);

/// Alternate setting 0 of interface 0: mass storage by Bulk-Only Transport, endpoints 81 and 02.
void write_bulk_only_interface(usbredir::DescriptorWriter& writer, usbredir::Speed speed);

}  // namespace usbloop::device_sim
