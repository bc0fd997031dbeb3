#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "client/devices/usb_device.h"

namespace usbloop::client {

/// Which of several redirections of one command has which device of this machine, so that none takes another's: at the
/// start, and when one of two devices that share ids and serial number is plugged in again. Thread-safe.
class DeviceClaims {
 public:
  /// Claims the device for `owner`, whose earlier claim ends. Without a result it is done; otherwise the device is
  /// that of another owner, whose name is returned, and nothing has changed. `name` is how the person named it.
  std::optional<std::string> claim(const void* owner, const std::string& name, const LocalDevice& device);

  /// Whether the device is another owner's, or stands where that owner's device has to come back.
  [[nodiscard]] bool is_of_another(const void* owner, const LocalDevice& device) const;

  /// Ends the claim of `owner`.
  void forget(const void* owner);

 private:
  struct Claim {
    std::string name;
    LocalDevice device;  ///< as it was when it was claimed
  };
  [[nodiscard]] const Claim* other_claim(const void* owner, const LocalDevice& device) const;

  mutable std::mutex mutex_;
  std::map<const void*, Claim> claims_;
};

}  // namespace usbloop::client
