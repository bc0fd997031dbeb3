#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/options.h"
#include "common/error.h"
#include "usbredir/host_end.h"

namespace usbloop::client {

/// A device that has been found and may be used. Its driver keeps it until the virtual machine's side has agreed.
struct DeviceSource {
  /// Takes the device and makes it the end of a redirection. Call once.
  std::function<Result<std::unique_ptr<usbredir::HostEnd>>()> take;
};

/// Finds and opens the device that the options name, real or emulated.
Result<DeviceSource> open_device(const Options& options);

}  // namespace usbloop::client
