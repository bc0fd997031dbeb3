#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

/// What is at the other end of a serial line. Thread rule: that of its device; the wake comes from any thread.
class FarEnd {
 public:
  /// What waits for the guest to read it, in bytes, and what waits for the other end.
  static constexpr std::size_t kMostWaiting = std::size_t{64} << 10;

  FarEnd() = default;
  virtual ~FarEnd() = default;
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  /// What the guest sends. "Not yet" while there is no room. One write may go over kMostWaiting, and only when nothing
  /// else waits.
  virtual OutReply put(std::span<const std::byte> data) = 0;
  /// Moves as much as there is for the guest, and as `room` takes, to its beginning; returns how much.
  virtual std::size_t take(std::span<std::byte> room) = 0;
  [[nodiscard]] virtual bool empty() const = 0;
  /// The guest has hung up: what it has not read is gone.
  virtual void clear() = 0;
  /// The device was reset, as it is several times at each attach: somebody of its own goes on speaking.
  virtual void reset() {}
  /// Whether somebody is there (DCD, DSR).
  [[nodiscard]] virtual bool is_there() const { return true; }
  /// Device::set_wake().
  virtual void set_wake(std::function<void()> /*wake*/) {}
};

}  // namespace usbloop::device_sim
