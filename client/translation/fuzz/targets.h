#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::client::fuzz {

/// What a stick may answer to Bulk-Only Transport.
void stick_answers(std::span<const std::byte> input);

}  // namespace usbloop::client::fuzz
