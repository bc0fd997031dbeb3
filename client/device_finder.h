#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "client/devices/device_claims.h"
#include "client/devices/device_identity.h"
#include "client/devices/device_policy.h"
#include "client/devices/selector.h"
#include "client/event.h"
#include "common/error.h"

namespace usbloop::client {

/// Finds the device of one redirection among those that are there: the first time by its selector, and the same one
/// ever after. `claims` keeps it apart from the other devices of the command, and `policy` says what may be redirected;
/// both outlive it.
class DeviceFinder {
 public:
  DeviceFinder(Selector selector, DeviceClaims& claims, const DevicePolicy& policy);
  ~DeviceFinder();
  DeviceFinder(const DeviceFinder&) = delete;
  DeviceFinder& operator=(const DeviceFinder&) = delete;

  /// The device's index. It is claimed then. Errors: not_found, conflict, denied, invalid.
  Result<std::size_t> find(const std::vector<LocalDevice>& all);

  /// The device could be used: from now on only this one will do.
  void remember(const LocalDevice& device);

  /// As the person named it.
  [[nodiscard]] std::string name() const { return to_string(selector_); }
  /// What is waited for: `0951:1666 with the serial number ABC`.
  [[nodiscard]] std::string label() const { return identity_ ? identity_->label() : name(); }

 private:
  [[nodiscard]] Result<std::size_t> find_same(const std::vector<LocalDevice>& all) const;
  Result<> claim(const LocalDevice& device);

  const Selector selector_;
  DeviceClaims& claims_;
  const DevicePolicy& policy_;
  std::optional<DeviceIdentity> identity_;  ///< of the device that was found first
};

/// What is told of the device; `name` is how the person named it.
DeviceFacts facts_of(const LocalDevice& device, const std::string& name);

/// Whether it is a stick with Bulk-Only Transport and nothing else; the error says that it is not.
Result<> check_translatable(const LocalDevice& device);

/// The error about a device that cannot be shown as a UAS disk.
tl::unexpected<Error> not_translatable(const std::string& device);

}  // namespace usbloop::client
