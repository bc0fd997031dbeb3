#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::apiserver::fuzz {

void request_head(std::span<const std::byte> input);
void selectors(std::span<const std::byte> input);
void continue_token(std::span<const std::byte> input);
void definition(std::span<const std::byte> input);
void object(std::span<const std::byte> input);
void patch(std::span<const std::byte> input);
void regex(std::span<const std::byte> input);
void token_file(std::span<const std::byte> input);

}  // namespace usbloop::apiserver::fuzz
