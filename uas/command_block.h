#pragma once

#include <cstddef>
#include <span>

#include "uas/logical_unit.h"

namespace usbloop::uas {

/// Which way the command in `block` moves data, by its operation and its length field (SPC-4, SBC-3, MMC-6; SAT's ATA
/// PASS-THROUGH). `none` for those that move nothing, and for operations that are not known here.
Direction direction_of(std::span<const std::byte, 16> block);

/// How many bytes of `block` are the command: 6, 10, 12 or 16. For vendors' operations it is 10, or 16 when there is
/// something behind.
std::size_t length_of(std::span<const std::byte, 16> block);

}  // namespace usbloop::uas
