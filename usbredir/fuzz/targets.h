#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::usbredir::fuzz {

void parser(std::span<const std::byte> input);
void descriptors(std::span<const std::byte> input);

}  // namespace usbloop::usbredir::fuzz
