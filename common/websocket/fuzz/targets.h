#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::websocket::fuzz {

void frames(std::span<const std::byte> input);
void handshake(std::span<const std::byte> input);
void proxy(std::span<const std::byte> input);

}  // namespace usbloop::websocket::fuzz
