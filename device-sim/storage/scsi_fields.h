#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "device-sim/storage/scsi_disk.h"

/// Numbers of the SCSI standards (SPC-4, SBC-3) and the big-endian fields of its structures.
namespace usbloop::device_sim::scsi {

inline constexpr std::uint8_t kTestUnitReady = 0x00, kRequestSenseOp = 0x03, kRead6 = 0x08, kWrite6 = 0x0a,
                              kInquiryOp = 0x12, kModeSense6 = 0x1a, kStartStopUnit = 0x1b, kPreventAllow = 0x1e,
                              kReadFormatCapacitiesOp = 0x23, kReadCapacity10Op = 0x25, kRead10 = 0x28, kWrite10 = 0x2a,
                              kVerify10 = 0x2f, kSynchronizeCache10 = 0x35, kModeSense10 = 0x5a, kRead16 = 0x88,
                              kWrite16 = 0x8a, kSynchronizeCache16 = 0x91, kServiceActionIn16 = 0x9e,
                              kReportLuns = 0xa0, kRead12 = 0xa8, kWrite12 = 0xaa;

inline constexpr Sense kMediumNotPresent{0x02, 0x3a, 0x00}, kUnrecoveredRead{0x03, 0x11, 0x00},
    kWriteError{0x03, 0x0c, 0x00}, kInvalidOperation{0x05, 0x20, 0x00}, kOutOfRange{0x05, 0x21, 0x00},
    kInvalidField{0x05, 0x24, 0x00}, kMediumChanged{0x06, 0x28, 0x00}, kRemovalPrevented{0x05, 0x53, 0x02},
    kWriteProtected{0x07, 0x27, 0x00};

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
