#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/error.h"
#include "usbredir/capture/urb.h"

// A transfer as link type 220 has it (LINKTYPE_USB_LINUX_MMAPPED, usb.md section 7): a header of 64 bytes, 16 for each
// isochronous packet, then the data.
namespace usbloop::capture {

inline constexpr std::uint16_t kLinkType = 220;
inline constexpr std::size_t kUsbmonHeader = 64;

/// The most isochronous packets that one record has; as in Linux.
inline constexpr std::size_t kMostIsoPackets = 128;

/// All of the record but its data, which follow it.
std::vector<std::byte> usbmon_header(const Urb& urb);

/// Bytes of the record when its data are all there.
std::size_t whole_size(const Urb& urb);

/// Reads a record, of which `bytes` may be the beginning only. Error (kind protocol): too short for its header or its
/// isochronous packets, or a field has a value that means nothing.
Result<Urb> read_usbmon(std::span<const std::byte> bytes);

}  // namespace usbloop::capture
