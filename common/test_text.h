#pragma once

#include <string_view>

// For tests of texts that a person reads.
namespace usbloop::testing {

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace usbloop::testing
