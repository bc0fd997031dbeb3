#pragma once

#include <optional>
#include <string>

#include "client/devices/filter_rules.h"
#include "client/devices/usb_device.h"
#include "common/error.h"

namespace usbloop::client {

/// What this person lets be redirected. Each filter is judged on its own: a device has to pass both.
struct DevicePolicy {
  FilterRules configured;        ///< of the configuration file
  FilterRules given;             ///< of --filter
  std::string config_path;       ///< for messages
  bool allows_keyboard = false;  ///< --force

  /// Errors: denied, with the rule, or that it is a keyboard. A device is judged each time that it is found: one that
  /// comes back may not be what it was.
  [[nodiscard]] Result<> check(const LocalDevice& device) const;
};

}  // namespace usbloop::client
