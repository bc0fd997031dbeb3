#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "device-sim/scsi_disk.h"

/// Numbers of the SCSI standards (SPC-4, SBC-3) and the big-endian fields of its structures.
namespace usbloop::device_sim::scsi {

inline constexpr std::uint8_t test_unit_ready = 0x00, request_sense_op = 0x03, read_6 = 0x08, write_6 = 0x0a,
                              inquiry_op = 0x12, mode_sense_6 = 0x1a, start_stop_unit = 0x1b, prevent_allow = 0x1e,
                              read_format_capacities_op = 0x23, read_capacity_10_op = 0x25, read_10 = 0x28,
                              write_10 = 0x2a, verify_10 = 0x2f, synchronize_cache_10 = 0x35, mode_sense_10 = 0x5a,
                              read_16 = 0x88, write_16 = 0x8a, synchronize_cache_16 = 0x91, service_action_in_16 = 0x9e,
                              report_luns = 0xa0, read_12 = 0xa8, write_12 = 0xaa;

inline constexpr Sense medium_not_present{0x02, 0x3a, 0x00}, unrecovered_read{0x03, 0x11, 0x00},
    write_error{0x03, 0x0c, 0x00}, invalid_operation{0x05, 0x20, 0x00}, out_of_range{0x05, 0x21, 0x00},
    invalid_field{0x05, 0x24, 0x00}, removal_prevented{0x05, 0x53, 0x02}, write_protected{0x07, 0x27, 0x00};

inline std::uint16_t u16(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline std::uint32_t u32(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{u16(bytes, at)} << 16 | u16(bytes, at + 2);
}
inline std::uint64_t u64(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint64_t{u32(bytes, at)} << 32 | u32(bytes, at + 4);
}

/// Appends `value` in `size` bytes.
inline void append(std::vector<std::uint8_t>& bytes, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace usbloop::device_sim::scsi
