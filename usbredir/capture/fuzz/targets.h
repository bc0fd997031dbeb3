#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::capture::fuzz {

void reader(std::span<const std::byte> input);
void session(std::span<const std::byte> input);

}  // namespace usbloop::capture::fuzz
