#include "uas/command_block.h"

#include <algorithm>
#include <cstdint>

namespace usbloop::uas {
namespace {

/// Where a command says how much it moves: `size` bytes from `at`; nothing is moved when they are 0. Size 0: always.
struct Mover {
  std::uint8_t operation;
  Direction direction;
  std::uint8_t at;
  std::uint8_t size;
};

constexpr Direction kIn = Direction::in, kOut = Direction::out;

constexpr Mover kMovers[] = {
    {0x03, kIn, 4, 1},    // REQUEST SENSE
    {0x08, kIn, 0, 0},    // READ(6): 0 blocks are 256
    {0x0a, kOut, 0, 0},   // WRITE(6)
    {0x12, kIn, 3, 2},    // INQUIRY
    {0x15, kOut, 4, 1},   // MODE SELECT(6)
    {0x1a, kIn, 4, 1},    // MODE SENSE(6)
    {0x1c, kIn, 3, 2},    // RECEIVE DIAGNOSTIC RESULTS
    {0x1d, kOut, 3, 2},   // SEND DIAGNOSTIC
    {0x23, kIn, 7, 2},    // READ FORMAT CAPACITIES
    {0x25, kIn, 0, 0},    // READ CAPACITY(10)
    {0x28, kIn, 7, 2},    // READ(10)
    {0x2a, kOut, 7, 2},   // WRITE(10)
    {0x2e, kOut, 7, 2},   // WRITE AND VERIFY(10)
    {0x37, kIn, 7, 2},    // READ DEFECT DATA(10)
    {0x3b, kOut, 6, 3},   // WRITE BUFFER
    {0x3c, kIn, 6, 3},    // READ BUFFER
    {0x41, kOut, 0, 0},   // WRITE SAME(10): one block
    {0x42, kOut, 7, 2},   // UNMAP
    {0x43, kIn, 7, 2},    // READ TOC
    {0x46, kIn, 7, 2},    // GET CONFIGURATION
    {0x4a, kIn, 7, 2},    // GET EVENT STATUS NOTIFICATION
    {0x4c, kOut, 7, 2},   // LOG SELECT
    {0x4d, kIn, 7, 2},    // LOG SENSE
    {0x51, kIn, 7, 2},    // READ DISC INFORMATION
    {0x52, kIn, 7, 2},    // READ TRACK INFORMATION
    {0x55, kOut, 7, 2},   // MODE SELECT(10)
    {0x5a, kIn, 7, 2},    // MODE SENSE(10)
    {0x5e, kIn, 7, 2},    // PERSISTENT RESERVE IN
    {0x5f, kOut, 5, 4},   // PERSISTENT RESERVE OUT
    {0x88, kIn, 10, 4},   // READ(16)
    {0x8a, kOut, 10, 4},  // WRITE(16)
    {0x8e, kOut, 10, 4},  // WRITE AND VERIFY(16)
    {0x9e, kIn, 10, 4},   // SERVICE ACTION IN(16)
    {0xa0, kIn, 6, 4},    // REPORT LUNS
    {0xa2, kIn, 6, 4},    // SECURITY PROTOCOL IN
    {0xa3, kIn, 6, 4},    // MAINTENANCE IN
    {0xa4, kOut, 6, 4},   // MAINTENANCE OUT
    {0xa8, kIn, 6, 4},    // READ(12)
    {0xaa, kOut, 6, 4},   // WRITE(12)
    {0xae, kOut, 6, 4},   // WRITE AND VERIFY(12)
    {0xad, kIn, 8, 2},    // READ DISC STRUCTURE
    {0xb5, kOut, 6, 4},   // SECURITY PROTOCOL OUT
    {0xb7, kIn, 6, 4},    // READ DEFECT DATA(12)
};

std::uint8_t byte_at(std::span<const std::byte, 16> block, std::size_t at) {
  return std::to_integer<std::uint8_t>(block[at]);
}

bool any(std::span<const std::byte> bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte != std::byte{0}; });
}

/// ATA PASS-THROUGH: T_LENGTH 0 moves nothing, T_DIR is the way (SAT-3, 12.2).
Direction pass_through(std::uint8_t flags) {
  constexpr std::uint8_t kLength = 0x03, kFromDevice = 0x08;
  if ((flags & kLength) == 0) return Direction::none;
  return (flags & kFromDevice) != 0 ? kIn : kOut;
}

}  // namespace

Direction direction_of(std::span<const std::byte, 16> block) {
  const std::uint8_t operation = byte_at(block, 0);
  switch (operation) {
    case 0x85:
    case 0xa1: return pass_through(byte_at(block, 2));
    case 0x2f:
    case 0x8f:
    case 0xaf: return (byte_at(block, 1) & 0x02) != 0 ? kOut : Direction::none;  // VERIFY that compares bytes
    case 0x93: return (byte_at(block, 1) & 0x01) != 0 ? Direction::none : kOut;  // WRITE SAME(16), with a block or not
    default: break;
  }
  for (const Mover& mover : kMovers) {
    if (mover.operation != operation) continue;
    return mover.size == 0 || any(block.subspan(mover.at, mover.size)) ? mover.direction : Direction::none;
  }
  return Direction::none;
}

std::size_t length_of(std::span<const std::byte, 16> block) {
  switch (byte_at(block, 0) >> 5) {  // the group code (SPC-4, 4.2.5.1)
    case 0: return 6;
    case 1:
    case 2: return 10;
    case 4: return 16;
    case 5: return 12;
    default: return any(block.subspan(10)) ? 16 : 10;
  }
}

}  // namespace usbloop::uas
