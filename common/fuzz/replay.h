#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

// Fuzz targets without a fuzzer, for the unit tests.
namespace usbloop::fuzz {

/// Takes any bytes, and must neither crash, leak nor hang.
using Target = std::function<void(std::span<const std::byte>)>;

/// Gives the target each file of the folder, and mutations of it that are the same in every run: fewer for a target
/// that takes a millisecond each, forty under a sanitizer. Fails the test case when there are fewer than three files.
void replay(const std::string& corpus, const Target& target, int mutations = 2000);

}  // namespace usbloop::fuzz
