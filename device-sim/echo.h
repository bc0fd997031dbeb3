#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>

#include "device-sim/device.h"

namespace usbloop::device_sim {

/// The far end of a serial line that sends back all that it gets.
class Echo {
 public:
  /// What waits for the guest to read it, in bytes. One write may go over it, and only when nothing else waits.
  static constexpr std::size_t kMostWaiting = std::size_t{64} << 10;

  /// "Not yet" while there is no room.
  OutReply put(std::span<const std::byte> data) {
    if (!bytes_.empty() && bytes_.size() + data.size() > kMostWaiting) return OutReply::not_yet();
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    return OutReply::taken(data.size());
  }

  /// Moves as much as there is, and as `room` takes, to its beginning; returns how much.
  std::size_t take(std::span<std::byte> room) {
    const std::size_t size = std::min(room.size(), bytes_.size());
    const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(size);
    std::copy(bytes_.begin(), end, room.begin());
    bytes_.erase(bytes_.begin(), end);
    return size;
  }

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  void clear() { bytes_.clear(); }

 private:
  std::deque<std::byte> bytes_;
};

}  // namespace usbloop::device_sim
