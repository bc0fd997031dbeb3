#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "uas/target.h"
#include "usbredir/descriptors.h"
#include "usbredir/host_end.h"
#include "usbredir/transfer_reply.h"

namespace usbloop::uas {

/// Endpoints of the four pipes of our UAS interfaces (UAS-2, 5.3.3). The numbers are free; these are a common bridge
/// chip's, whose data pipes are the endpoints of Bulk-Only in the other alternate setting.
inline constexpr std::uint8_t kDataInEndpoint = 0x81, kDataOutEndpoint = 0x02, kStatusEndpoint = 0x83,
                              kCommandEndpoint = 0x04;

/// How many streams a super-speed interface has: 2^4, as many as QEMU has been seen to serve.
inline constexpr std::uint32_t kStreams = 16;

/// Writes the alternate setting `alternate` of interface 0 as UAS, with its endpoints and what belongs to them at
/// `speed` (high or super).
void write_interface(usbredir::DescriptorWriter& writer, std::uint8_t alternate, usbredir::Speed speed);

/// Gives the transfers of those endpoints to `target`.
usbredir::InReply serve_in(Target& target, std::uint8_t endpoint, std::uint32_t stream, std::span<std::byte> room);
usbredir::OutReply serve_out(Target& target, std::uint8_t endpoint, std::uint32_t stream,
                             std::span<const std::byte> data);

}  // namespace usbloop::uas
