#include "uas/information_units.h"

#include <algorithm>

namespace usbloop::uas {
namespace {

constexpr std::uint8_t kCommand = 0x01, kStatus = 0x03, kResponse = 0x04, kTaskManagement = 0x05, kReadReady = 0x06,
                       kWriteReady = 0x07;
constexpr std::size_t kHeaderSize = 4, kCommandSize = 32, kTaskManagementSize = 16;
constexpr std::size_t kLongestSense = 252;

/// The big-endian number in the `size` bytes from `at`.
std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.subspan(at, size)) value = value << 8 | std::to_integer<std::uint8_t>(byte);
  return value;
}

std::uint16_t short_at(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number_at(bytes, at, 2));
}

std::vector<std::byte> unit(std::uint8_t id, std::uint16_t tag, std::size_t size) {
  std::vector<std::byte> bytes(size);
  bytes[0] = std::byte{id};
  bytes[2] = static_cast<std::byte>(tag >> 8);
  bytes[3] = static_cast<std::byte>(tag & 0xff);
  return bytes;
}

}  // namespace

std::vector<std::byte> fixed_sense(std::uint8_t key, std::uint8_t code, std::uint8_t qualifier) {
  constexpr std::byte kCurrentFixed{0x70}, kAdditionalLength{10};
  std::vector<std::byte> sense(18);
  sense[0] = kCurrentFixed;
  sense[2] = std::byte{key};
  sense[7] = kAdditionalLength;
  sense[12] = std::byte{code};
  sense[13] = std::byte{qualifier};
  return sense;
}

std::variant<CommandUnit, TaskManagementUnit, UnknownUnit> read_unit(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderSize) return UnknownUnit{};
  const auto id = std::to_integer<std::uint8_t>(bytes[0]);
  const std::uint16_t tag = short_at(bytes, 2);
  if (id == kCommand && bytes.size() >= kCommandSize) {
    constexpr std::uint64_t kAttribute = 0x07, kHeadOfQueue = 0x01, kMoreWords = 0xfc;
    CommandUnit command;
    command.tag = tag;
    command.head_of_queue = (number_at(bytes, 4, 1) & kAttribute) == kHeadOfQueue;
    command.long_block = (number_at(bytes, 6, 1) & kMoreWords) != 0;
    command.logical_unit = number_at(bytes, 8, 8);
    std::copy_n(bytes.begin() + 16, command.block.size(), command.block.begin());
    return command;
  }
  if (id == kTaskManagement && bytes.size() >= kTaskManagementSize) {
    return TaskManagementUnit{tag, std::to_integer<std::uint8_t>(bytes[4]), short_at(bytes, 6), number_at(bytes, 8, 8)};
  }
  return UnknownUnit{tag};
}

std::vector<std::byte> status_unit(std::uint16_t tag, const Outcome& outcome) {
  const std::size_t length = std::min(outcome.sense.size(), kLongestSense);
  std::vector<std::byte> bytes = unit(kStatus, tag, 16 + length);
  bytes[6] = std::byte{outcome.status};
  bytes[15] = static_cast<std::byte>(length);
  std::copy_n(outcome.sense.begin(), length, bytes.begin() + 16);
  return bytes;
}

std::vector<std::byte> response_unit(std::uint16_t tag, Response response) {
  std::vector<std::byte> bytes = unit(kResponse, tag, 8);
  bytes[7] = static_cast<std::byte>(response);
  return bytes;
}

std::vector<std::byte> ready_unit(std::uint16_t tag, Direction direction) {
  return unit(direction == Direction::in ? kReadReady : kWriteReady, tag, kHeaderSize);
}

}  // namespace usbloop::uas
