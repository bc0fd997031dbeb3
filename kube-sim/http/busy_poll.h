#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>

// Busy polling: looking for the next event for a moment before sleeping. Waking a halted processor can take longer than
// all else on a message's way, above all in a virtual machine (docs/performance.md).
namespace usbloop::apiserver {

/// For how long to look, as KVM's halt polling decides it (halt_poll_ns). The time grows while events come within
/// `most`, and drops to zero after one that took longer, so rare events cost nothing.
class PollWindow {
 public:
  using Duration = std::chrono::nanoseconds;

  /// `most` of zero: never.
  explicit PollWindow(Duration most) : most_(most) {}

  [[nodiscard]] Duration length() const { return length_; }
  /// The event that ended a sleep came `time` after the one before it.
  void slept(Duration time);

 private:
  Duration most_;
  Duration length_{0};
};

/// Runs the loop to its end, as its own run() does, but polls while `wanted` says so and the machine has a
/// processor to spare.
void run_polling(asio::io_context& loop, std::chrono::microseconds most, const std::function<bool()>& wanted);

}  // namespace usbloop::apiserver
