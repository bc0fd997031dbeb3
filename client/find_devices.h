#pragma once

#include <memory>
#include <vector>

#include "client/device_source.h"
#include "client/devices/device_claims.h"
#include "client/devices/device_policy.h"
#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// Finds and opens all devices that the options name, so that what is wrong with one is told before any is taken. A
/// person at a terminal is asked which of several is meant, and which devices when none is named. `claims` and `policy`
/// outlive the devices. Errors: those of DeviceSource::prepare(); invalid also when two selectors name one device;
/// cancelled when nothing was chosen; ErrorKind::invalid with kNoDeviceNamed when nobody can be asked.
Result<std::vector<std::unique_ptr<DeviceSource>>> find_devices(const Options& options, DeviceClaims& claims,
                                                                const DevicePolicy& policy);

/// The operation of the error for a command line without a device, which is wrong where nobody can be asked.
inline constexpr const char* kNoDeviceNamed = "choose a device for";

}  // namespace usbloop::client
