#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "uas/logical_unit.h"

/// Information units of USB Attached SCSI (UAS-2, 6.2): what goes over the command and the status pipe. Big-endian.
namespace usbloop::uas {

/// COMMAND: begin this.
struct CommandUnit {
  std::uint16_t tag = 0;
  bool head_of_queue = false;      ///< task attribute; SIMPLE and ORDERED are served in their order
  std::uint64_t logical_unit = 0;  ///< 0 is the disk
  bool long_block = false;         ///< the command block is longer than 16 bytes
  std::array<std::byte, 16> block{};
};

/// TASK MANAGEMENT.
struct TaskManagementUnit {
  enum Function : std::uint8_t {
    kAbortTask = 0x01,
    kAbortTaskSet = 0x02,
    kClearTaskSet = 0x04,
    kLogicalUnitReset = 0x08,
    kNexusReset = 0x10,
    kQueryTask = 0x80,
    kQueryTaskSet = 0x81,
    kQueryAsyncEvent = 0x82
  };
  std::uint16_t tag = 0;
  std::uint8_t function = 0;  ///< any value may come
  std::uint16_t managed_tag = 0;
  std::uint64_t logical_unit = 0;
};

/// Neither of them: an unknown kind, or cut.
struct UnknownUnit {
  std::uint16_t tag = 0;  ///< 0 when it is too short to have one
};

/// Codes of the RESPONSE unit (table 24).
enum class Response : std::uint8_t {
  complete = 0x00,
  invalid_unit = 0x02,
  not_supported = 0x04,
  succeeded = 0x08,
  incorrect_logical_unit = 0x09,
  overlapped_tag = 0x0a
};

/// Reads what has come on the command pipe. The bytes are a guest's and may be anything.
std::variant<CommandUnit, TaskManagementUnit, UnknownUnit> read_unit(std::span<const std::byte> bytes);

std::vector<std::byte> status_unit(std::uint16_t tag, const Outcome& outcome);
std::vector<std::byte> response_unit(std::uint16_t tag, Response response);
/// READ READY or WRITE READY, by the direction.
std::vector<std::byte> ready_unit(std::uint16_t tag, Direction direction);

}  // namespace usbloop::uas
