#pragma once

#include <chrono>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "client/devices/arrival_watch.h"
#include "client/devices/device_list.h"
#include "common/error.h"

namespace usbloop::client {

/// The lines for what has changed between two lists: `+ Bus 001 …` for a device that came, `- Bus 001 …` for one that
/// went; as json one object a line, {"event": "added" or "removed", "device": {…}}. Empty when nothing has.
std::string changes(const std::vector<ListedDevice>& before, const std::vector<ListedDevice>& now, ListFormat format);

/// Where devices come from and go to: this machine's USB, or a desk. From one thread.
class DeviceSight {
 public:
  virtual ~DeviceSight() = default;
  DeviceSight() = default;
  DeviceSight(const DeviceSight&) = delete;
  DeviceSight& operator=(const DeviceSight&) = delete;

  /// The devices that are plugged in at this moment.
  virtual Result<std::vector<LocalDevice>> look() = 0;

  /// Waits until a device has been plugged in, `time` has passed or `stop` was requested.
  virtual void wait(std::chrono::milliseconds time, const std::stop_token& stop) = 0;
};

/// This machine's USB.
class LocalSight final : public DeviceSight {
 public:
  Result<std::vector<LocalDevice>> look() override;
  void wait(std::chrono::milliseconds time, const std::stop_token& stop) override;

 private:
  ArrivalWatch arrivals_;
};

/// Prints the list, then each change as it happens, until the process ends. Returns what went wrong.
Error watch_devices(DeviceSight& sight, ListFormat format, std::ostream& out);

}  // namespace usbloop::client
