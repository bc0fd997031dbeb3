#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/devices/device_watch.h"
#include "client/devices/usb_device.h"
#include "common/error.h"
#include "device-sim/desk/desk_client.h"

// The devices of a desk (device-sim desk) in the place of this machine's.
namespace usbloop::client {

/// A desk, by its file or socket. From one thread.
class DeskSight final : public DeviceSight {
 public:
  explicit DeskSight(std::string desk) : desk_(std::move(desk)) {}

  /// Those that are plugged in, in the order of the desk's file. Errors: those of DeskClient::connect().
  Result<std::vector<LocalDevice>> look() override;
  void wait(std::chrono::milliseconds time, const std::stop_token& stop) override;

 private:
  const std::string desk_;
  std::optional<desk::DeskClient> watch_;  ///< hears of changes; nothing: not yet, or the desk has gone
};

/// What a redirection sees: the desk's devices where one is named, else this machine's.
std::unique_ptr<DeviceSight> sight_of(const std::string& desk);
/// The same, looked at once.
Result<std::vector<LocalDevice>> devices_of(const std::string& desk);

}  // namespace usbloop::client
