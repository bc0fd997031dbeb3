#pragma once

#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "device-sim/network/network.h"

// A network for tests and fuzz targets; no part of the library.
namespace usbloop::device_sim::test {

/// Keeps what the guest sends, and gives it what `for_guest` has.
class NetworkDouble final : public network::Network {
 public:
  [[nodiscard]] bool has_room() const override { return sent.size() < room; }
  void send(std::span<const std::byte> frame) override { sent.emplace_back(frame.begin(), frame.end()); }
  network::Frame receive() override {
    if (for_guest.empty()) return {};
    network::Frame frame = std::move(for_guest.front());
    for_guest.pop_front();
    return frame;
  }
  [[nodiscard]] std::uint64_t lost() const override { return lost_frames; }
  [[nodiscard]] std::uint64_t refused() const override { return 0; }
  void restart() override { ++restarts; }
  void set_wake(std::function<void()> new_wake) override { wake = std::move(new_wake); }

  std::size_t room = 100;  ///< how many frames `sent` takes
  std::vector<network::Frame> sent;
  std::deque<network::Frame> for_guest;
  std::uint64_t lost_frames = 0;
  int restarts = 0;
  std::function<void()> wake;
};

}  // namespace usbloop::device_sim::test
