#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::client::fuzz {

void filter_rules(std::span<const std::byte> input);
void client_config(std::span<const std::byte> input);

}  // namespace usbloop::client::fuzz
