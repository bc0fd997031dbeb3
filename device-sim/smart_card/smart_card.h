#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace usbloop::device_sim {

/// The card in a reader's slot. Its functions belong to one thread.
class SmartCard {
 public:
  virtual ~SmartCard() = default;

  /// Gives it power and resets it: its answer to reset (ISO 7816-3), or nothing when it says none.
  virtual std::vector<std::byte> power_on() = 0;
  virtual void power_off() = 0;

  /// A command APDU (ISO 7816-4), four bytes at least, for a card that has power; its response, which ends in two bytes
  /// of status, or nothing when it gives none.
  virtual std::vector<std::byte> transmit(std::span<const std::byte> command) = 0;
};

}  // namespace usbloop::device_sim
