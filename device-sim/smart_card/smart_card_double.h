#pragma once

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "device-sim/smart_card/smart_card.h"

// A card for tests; no part of the library.
namespace usbloop::device_sim::test {

/// Answers a command with its bytes in reverse and the status 9000. Aborts when a reader breaks its promises.
class SmartCardDouble final : public SmartCard {
 public:
  std::vector<std::byte> power_on() override {
    has_power_ = !is_mute;
    if (is_mute) return {};
    return {std::byte{0x3b}, std::byte{0x00}};
  }
  void power_off() override { has_power_ = false; }
  std::vector<std::byte> transmit(std::span<const std::byte> command) override {
    if (!has_power_ || command.size() < 4) std::abort();
    if (is_mute) return {};
    std::vector<std::byte> response(command.rbegin(), command.rend());
    response.push_back(std::byte{0x90});
    response.push_back(std::byte{0x00});
    return response;
  }

  [[nodiscard]] bool has_power() const { return has_power_; }

  bool is_mute = false;

 private:
  bool has_power_ = false;
};

}  // namespace usbloop::device_sim::test
