#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::desk::fuzz {

void desk_control(std::span<const std::byte> input);
void desk_file(std::span<const std::byte> input);

}  // namespace usbloop::desk::fuzz
