#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "client/devices/device_claims.h"
#include "client/devices/device_policy.h"
#include "client/devices/selector.h"
#include "client/event.h"
#include "common/error.h"
#include "usbredir/host_end.h"

namespace usbloop::client {

/// The device that is redirected, once or again and again: after a lost connection, or after it was unplugged. Used by
/// one thread.
class DeviceSource {
 public:
  virtual ~DeviceSource() = default;
  DeviceSource() = default;
  DeviceSource(const DeviceSource&) = delete;
  DeviceSource& operator=(const DeviceSource&) = delete;

  /// Finds and opens the device, so that what is wrong with it is told before a server is asked. Its driver keeps it.
  /// After the first success only the same device will do. Errors: not_found (not plugged in), denied, conflict,
  /// invalid.
  virtual Result<> prepare() = 0;

  /// Takes the prepared device and makes it the end of a redirection. Call once after each prepare(). Errors: conflict
  /// (another program has it), not_found (unplugged meanwhile).
  virtual Result<std::unique_ptr<usbredir::HostEnd>> take() = 0;

  /// What is known of the device that was prepared last.
  [[nodiscard]] virtual DeviceFacts facts() const = 0;

  /// Whether the prepared device is a stick with Bulk-Only Transport and nothing else, which can be shown as a UAS
  /// disk. An error (invalid) says why not.
  [[nodiscard]] virtual Result<> may_be_translated() const = 0;

  /// What is waited for: `0951:1666 with the serial number ABC`.
  [[nodiscard]] virtual std::string label() const = 0;

  /// Whether a device that is gone can come back.
  [[nodiscard]] virtual bool can_come_back() const = 0;

  /// Waits until a device has been plugged in here, `time` has passed or `stop` was requested.
  virtual void wait_for_arrival(std::chrono::milliseconds time, const std::stop_token& stop) = 0;
};

/// A device of this machine. `claims` keeps it apart from the other devices of the command, and `policy` says what may
/// be redirected; both outlive it.
std::unique_ptr<DeviceSource> make_device_source(const Selector& selector, DeviceClaims& claims,
                                                 const DevicePolicy& policy);

/// A device of a running desk; `desk` is its file or socket. The rest as above.
std::unique_ptr<DeviceSource> make_desk_source(const std::string& desk, const Selector& selector, DeviceClaims& claims,
                                               const DevicePolicy& policy);

/// An emulated device, as device-sim's --emulate describes it.
std::unique_ptr<DeviceSource> make_emulated_source(const std::string& spec);

}  // namespace usbloop::client
