#pragma once

#include <cstdint>

namespace usbloop::device_sim {

/// Why a command failed (SPC-4, 4.5): sense key, additional sense code and qualifier.
struct Sense {
  std::uint8_t key = 0;
  std::uint8_t code = 0;
  std::uint8_t qualifier = 0;
  bool operator==(const Sense&) const = default;
};

}  // namespace usbloop::device_sim
