#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "common/error.h"
#include "usbredir/host_end.h"

// For tests only.
namespace usbloop::client::testing {

/// A host end whose device is a script: keeps what it is given, and sends what the test puts into it.
class ScriptedHost : public usbredir::HostEnd {
 public:
  ScriptedHost() { description.product = "scripted"; }

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return description; }
  void set_wake(std::function<void()> callback) override { wake = std::move(callback); }
  void look() override { ++looks; }
  [[nodiscard]] bool wants_input() const override { return open; }
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override {
    if (breaks) {
      now = usbredir::HostState::failed;
      open = false;
      return make_error(ErrorKind::protocol, "redirect", "", "broken");
    }
    if (now == usbredir::HostState::waiting) now = usbredir::HostState::announced;
    const std::size_t taken = std::min(bytes.size(), portion);
    if (portion < bytes.size()) open = false;
    received.insert(received.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    return taken;
  }
  [[nodiscard]] std::span<const std::byte> pending() const override {
    return output.empty() ? std::span<const std::byte>{} : std::span(output.front()).subspan(offset);
  }
  void consume(std::size_t count) override {
    consumed += count;
    offset += count;
    if (offset < output.front().size()) return;
    output.pop_front();
    offset = 0;
  }
  [[nodiscard]] usbredir::HostState state() const override { return now; }
  [[nodiscard]] Result<> outcome() const override {
    if (now == usbredir::HostState::disconnected) return {};
    if (now == usbredir::HostState::failed) return make_error(ErrorKind::protocol, "redirect", "", "broken");
    return make_error(ErrorKind::unavailable, "redirect", "", "scripted end");
  }
  void disconnect() override {
    ++disconnects;
    if (is_final(now)) return;
    now = usbredir::HostState::disconnected;
    output.push_back({std::byte{'b'}, std::byte{'y'}, std::byte{'e'}});
  }

  usbredir::DeviceDescription description;
  std::function<void()> wake;
  std::vector<std::byte> received;
  std::deque<std::vector<std::byte>> output;
  std::size_t offset = 0;
  std::size_t consumed = 0;
  std::size_t portion = SIZE_MAX;  ///< receive() takes this much, then closes
  bool open = true;
  bool breaks = false;
  int disconnects = 0;
  int looks = 0;
  std::atomic<usbredir::HostState> now =
      usbredir::HostState::waiting;  ///< may be set from another thread; then call wake
};

}  // namespace usbloop::client::testing
