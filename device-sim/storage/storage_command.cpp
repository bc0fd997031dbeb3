#include "device-sim/storage/storage_command.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace usbloop::device_sim {
namespace {

constexpr std::size_t kCommandWrapperSize = 31, kStatusWrapperSize = 13, kWrapperTagAt = 4, kWrapperTagEnd = 8;
constexpr std::uint32_t kCommandWrapperSign = 0x43425355, kStatusWrapperSign = 0x53425355;
// Within a key.
constexpr std::size_t kKeyLengthAt = 0, kKeyFlagsAt = 4, kKeyBlockLengthAt = 6, kKeyBlockAt = 7;

std::uint32_t little_word(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(bytes[at + i]) << 8 * i;
  return value;
}

template <std::size_t N>
bool is_one_of(const std::array<std::uint8_t, N>& operations, std::span<const std::byte> key) {
  const auto operation = std::to_integer<std::uint8_t>(key[kKeyBlockAt]);
  return std::find(operations.begin(), operations.end(), operation) != operations.end();
}

}  // namespace

bool is_command_wrapper(std::span<const std::byte> data) {
  return data.size() == kCommandWrapperSize && little_word(data, 0) == kCommandWrapperSign;
}

bool is_status_wrapper(std::span<const std::byte> data) {
  return data.size() == kStatusWrapperSize && little_word(data, 0) == kStatusWrapperSign;
}

std::uint32_t wrapper_tag(std::span<const std::byte> wrapper) { return little_word(wrapper, kWrapperTagAt); }

void set_wrapper_tag(std::span<std::byte> wrapper, std::uint32_t tag) {
  for (std::size_t i = 0; i < 4; ++i) wrapper[kWrapperTagAt + i] = static_cast<std::byte>(tag >> 8 * i);
}

std::vector<std::byte> command_key(std::span<const std::byte> wrapper) {
  const auto behind_tag = wrapper.subspan(kWrapperTagEnd);
  return {behind_tag.begin(), behind_tag.end()};
}

bool reads_blocks(std::span<const std::byte> key) {
  constexpr std::array<std::uint8_t, 4> kReads = {0x08, 0x28, 0xa8, 0x88};
  return is_one_of(kReads, key);
}

bool carries_data(std::span<const std::byte> key) {
  return little_word(key, kKeyLengthAt) > 0 && (std::to_integer<unsigned>(key[kKeyFlagsAt]) & 0x80) == 0;
}

bool asks_for_sense(std::span<const std::byte> key) { return key[kKeyBlockAt] == std::byte{0x03}; }

bool only_asks(std::span<const std::byte> key) {
  // TEST UNIT READY, REQUEST SENSE, INQUIRY, MODE SENSE (6 and 10), READ FORMAT CAPACITIES, READ CAPACITY, VERIFY (10
  // and 16, which move nothing), READ TOC, GET CONFIGURATION, GET EVENT STATUS, LOG SENSE, SERVICE ACTION IN, REPORT
  // LUNS, MAINTENANCE IN.
  constexpr std::array<std::uint8_t, 16> kQuestions = {0x00, 0x03, 0x12, 0x1a, 0x5a, 0x23, 0x25, 0x2f,
                                                       0x8f, 0x43, 0x46, 0x4a, 0x4d, 0x9e, 0xa0, 0xa3};
  return !carries_data(key) && (is_one_of(kQuestions, key) || reads_blocks(key));
}

std::string command_text(std::span<const std::byte> key) {
  constexpr std::size_t kLongestBlock = 16;
  const std::size_t length = std::to_integer<std::size_t>(key[kKeyBlockLengthAt]) & 0x1f;
  std::string text = "the command";
  for (const std::byte byte : key.subspan(kKeyBlockAt, std::clamp<std::size_t>(length, 1, kLongestBlock))) {
    char digits[4];
    std::snprintf(digits, sizeof digits, " %02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text + " with " + std::to_string(little_word(key, kKeyLengthAt)) + " bytes";
}

}  // namespace usbloop::device_sim
