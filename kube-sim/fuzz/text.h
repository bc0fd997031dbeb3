#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace usbloop::apiserver::fuzz {

inline std::string text_of(std::span<const std::byte> input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

/// Takes a byte off the front that chooses among `choices`.
inline unsigned choose(std::span<const std::byte>& input, unsigned choices) {
  if (input.empty()) return 0;
  const auto choice = std::to_integer<unsigned>(input[0]);
  input = input.subspan(1);
  return choice % choices;
}

}  // namespace usbloop::apiserver::fuzz
