#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "usbredir/descriptors.h"

namespace usbloop::capture {

/// What a record of a capture tells of a transfer: that it was handed to the device, or how it ended.
enum class Event : char { submit = 'S', complete = 'C', error = 'E' };

/// Ends of a transfer, numbered as Linux does; what else there is stands in errno(3), negative.
namespace urb_status {
inline constexpr std::int32_t kSuccess = 0, kCancelled = -2, kStall = -32, kOverflow = -75, kProtocol = -71,
                              kShutdown = -108, kTimeout = -110, kInvalid = -22, kInProgress = -115, kNotYet = -18;
}

/// One packet of an isochronous transfer; its bytes are at `offset` of the transfer's data.
struct IsoPacket {
  std::int32_t status = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

using Setup = std::array<std::uint8_t, 8>;

/// The beginning or the end of one USB transfer, as Linux' usbmon sees it (usb.md section 7). A transfer's beginning
/// and end have the same id, device and endpoint.
struct Urb {
  std::uint64_t id = 0;
  Event event = Event::submit;
  usbredir::TransferType type = usbredir::TransferType::control;
  std::uint8_t endpoint = 0;  ///< number, and 0x80 for IN
  std::uint8_t device = 0;    ///< 1 to 127, the number of the device in this capture
  std::uint16_t bus = 1;
  std::optional<Setup> setup;        ///< of a control transfer's beginning
  std::chrono::microseconds time{};  ///< since 1970
  std::int32_t status = 0;           ///< urb_status
  std::uint32_t length = 0;          ///< bytes asked for, or transferred
  std::int32_t interval = 0;
  std::int32_t start_frame = 0;
  std::uint32_t flags = 0;
  std::vector<IsoPacket> packets;  ///< isochronous only
  std::vector<std::byte> data;     ///< as much as was kept: see `whole`
  std::size_t whole = 0;           ///< bytes of data that there were
  std::string comment;             ///< what came before this record and is no transfer; UTF-8

  [[nodiscard]] bool is_in() const { return (endpoint & 0x80) != 0; }
};

}  // namespace usbloop::capture
