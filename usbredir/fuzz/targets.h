#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets: each takes any bytes and must neither crash, leak nor hang. Run by libFuzzer (clang, option
/// USBLOOP_FUZZ) and, over the corpus and its mutations, by the unit tests.
namespace usbloop::usbredir::fuzz {

void parser(std::span<const std::byte> input);
void descriptors(std::span<const std::byte> input);

}  // namespace usbloop::usbredir::fuzz
