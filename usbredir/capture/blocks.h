#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "usbredir/capture/urb.h"
#include "usbredir/capture/usbmon.h"

// The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the byte order of the machine.
namespace usbloop::capture {

namespace block_type {
inline constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kStatistics = 5, kPacket = 6;
}
namespace option_code {
inline constexpr std::uint16_t kEnd = 0, kComment = 1, kApplication = 4, kName = 2, kDescription = 3, kSpeed = 8,
                               kPacketDropCount = 4, kReceived = 4, kDropped = 5;
}
inline constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;

/// A device of the capture, as pcapng calls it: an interface.
struct Interface {
  std::string name;         ///< "usbloop1"
  std::string description;  ///< `0951:1666 "Kingston DataTraveler" (emulated stick)`
  std::uint64_t speed = 0;  ///< bits per second on the bus; 0 when it is not told
  std::uint16_t link_type = kLinkType;
};

/// The first block of a file, with the name of the program that writes it.
std::vector<std::byte> section_block(const std::string& application);

/// What says that packets of the interface follow.
std::vector<std::byte> interface_block(const Interface& interface);

/// How many records came, and how many of them are not in the file.
std::vector<std::byte> statistics_block(std::uint32_t interface, std::chrono::microseconds time, std::uint64_t received,
                                        std::uint64_t dropped);

/// One record, whose data stay where they are: they stand between the two.
struct PacketFrame {
  std::vector<std::byte> before;
  std::vector<std::byte> after;
};
/// `lost`: records that are missing before this one.
PacketFrame packet_frame(std::uint32_t interface, const Urb& urb, std::uint64_t lost);

}  // namespace usbloop::capture
