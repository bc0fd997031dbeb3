#pragma once

#include "common/error.h"
#include "usbredir/host_end.h"

namespace usbloop::usbredir {

/// What a person is told when the guest side has rejected a device. Kind denied.
Error rejection_of(const DeviceDescription& device);

}  // namespace usbloop::usbredir
