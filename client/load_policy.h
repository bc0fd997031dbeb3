#pragma once

#include "client/devices/device_policy.h"
#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// The rules of the configuration file and of the command line. Errors: those of a file that is there and cannot be
/// read or understood (client_config.h).
Result<DevicePolicy> load_policy(const Options& options);

}  // namespace usbloop::client
