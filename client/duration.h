#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace usbloop::client {

/// A duration as kubectl's flags take it: `30`, `30s`, `1m30s`, `500ms`, `0`. A number alone counts seconds. Nothing
/// for anything else, and for more than a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace usbloop::client
