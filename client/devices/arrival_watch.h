#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

namespace usbloop::client {

/// Hears of devices that are plugged into this machine. From one thread.
class ArrivalWatch {
 public:
  /// Where the system tells of no arrival (no udev, as in most containers) only the time passes in wait().
  ArrivalWatch();
  ~ArrivalWatch();
  ArrivalWatch(const ArrivalWatch&) = delete;
  ArrivalWatch& operator=(const ArrivalWatch&) = delete;

  /// Waits until a device has been plugged in since the last call (or since the beginning), `time` has passed, or
  /// `stop` was requested.
  void wait(std::chrono::milliseconds time, const std::stop_token& stop);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;  // null: nobody tells
};

}  // namespace usbloop::client
