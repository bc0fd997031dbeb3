#pragma once

#include <functional>
#include <memory>

namespace usbloop::client {

/// Ctrl-C and the other ways to ask a program to end. The first signal calls `on_stop` from a thread of its own, so it
/// gets through even while the rest of the program waits for a device. The second signal ends the process at once with
/// status 1. The kernel then takes the device back, but binds no driver to it.
class StopSignal {
 public:
  explicit StopSignal(std::function<void()> on_stop);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usbloop::client
