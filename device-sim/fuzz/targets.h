#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::device_sim::fuzz {

void audio(std::span<const std::byte> input);
void camera(std::span<const std::byte> input);
void ccid(std::span<const std::byte> input);
void cdc(std::span<const std::byte> input);
void hid(std::span<const std::byte> input);
void model(std::span<const std::byte> input);
void network(std::span<const std::byte> input);
void picture(std::span<const std::byte> input);
void recording(std::span<const std::byte> input);
void storage(std::span<const std::byte> input);

}  // namespace usbloop::device_sim::fuzz
