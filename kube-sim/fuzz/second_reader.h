#pragma once

#include <optional>
#include <string_view>

#include "common/http/head.h"

namespace usbloop::apiserver::fuzz {

/// A request's head as websocketpp's parser reads it; nothing when it refuses it.
std::optional<http::Head> second_reading(std::string_view text);

}  // namespace usbloop::apiserver::fuzz
