#pragma once

#include <algorithm>
#include <deque>

#include "device-sim/serial/far_end.h"

namespace usbloop::device_sim {

/// The far end of a serial line that sends back all that it gets.
class Echo final : public FarEnd {
 public:
  OutReply put(std::span<const std::byte> data) override {
    if (!bytes_.empty() && bytes_.size() + data.size() > kMostWaiting) return OutReply::not_yet();
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    return OutReply::taken(data.size());
  }

  std::size_t take(std::span<std::byte> room) override {
    const std::size_t size = std::min(room.size(), bytes_.size());
    const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(size);
    std::copy(bytes_.begin(), end, room.begin());
    bytes_.erase(bytes_.begin(), end);
    return size;
  }

  [[nodiscard]] bool empty() const override { return bytes_.empty(); }
  void clear() override { bytes_.clear(); }
  void reset() override { bytes_.clear(); }

 private:
  std::deque<std::byte> bytes_;
};

}  // namespace usbloop::device_sim
