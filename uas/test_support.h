#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

// Helpers of the tests; no part of the library.
namespace usbloop::uas::test {

inline std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

/// COMMAND, with a command block of up to 16 bytes.
inline std::vector<std::byte> command_unit(std::uint16_t tag, const std::vector<std::uint8_t>& block) {
  std::vector<std::byte> unit(32);
  unit[0] = std::byte{1};
  unit[2] = static_cast<std::byte>(tag >> 8);
  unit[3] = static_cast<std::byte>(tag & 0xff);
  std::copy_n(std::as_bytes(std::span(block)).begin(), block.size(), unit.begin() + 16);
  return unit;
}

/// TASK MANAGEMENT.
inline std::vector<std::byte> task_unit(std::uint16_t tag, std::uint8_t function, std::uint16_t managed_tag) {
  std::vector<std::byte> unit(16);
  unit[0] = std::byte{5};
  unit[2] = static_cast<std::byte>(tag >> 8);
  unit[3] = static_cast<std::byte>(tag & 0xff);
  unit[4] = std::byte{function};
  unit[6] = static_cast<std::byte>(managed_tag >> 8);
  unit[7] = static_cast<std::byte>(managed_tag & 0xff);
  return unit;
}

}  // namespace usbloop::uas::test
