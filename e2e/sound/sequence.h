#pragma once

#include <cstdint>

namespace usbloop::e2e {

inline constexpr int kSoundSequenceRate = 48'000;

/// What a guest plays: no sample is 0, so that the silence before it, and that of a guest which was late, can be told
/// from it.
constexpr std::int16_t sequence_sample(std::uint32_t frame, int channel) {
  const auto value = static_cast<std::int16_t>(frame * 7 % 30'011 + 1);
  return channel == 0 ? value : static_cast<std::int16_t>(-value);
}

}  // namespace usbloop::e2e
