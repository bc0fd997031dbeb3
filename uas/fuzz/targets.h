#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::uas::fuzz {

void target(std::span<const std::byte> input);

}  // namespace usbloop::uas::fuzz
