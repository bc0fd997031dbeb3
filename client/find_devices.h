#pragma once

#include <memory>
#include <vector>

#include "client/device_claims.h"
#include "client/device_source.h"
#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// Finds and opens all devices that the options name, so that what is wrong with one is told before any is taken. A
/// person at a terminal is asked which of several is meant. `claims` outlives the devices. Errors: those of
/// DeviceSource::prepare(); invalid also when two selectors name one device.
Result<std::vector<std::unique_ptr<DeviceSource>>> find_devices(const Options& options, DeviceClaims& claims);

}  // namespace usbloop::client
