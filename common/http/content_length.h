#pragma once

#include <cstdint>
#include <optional>

#include "common/error.h"
#include "common/http/head.h"

namespace usbloop::http {

/// What Content-Length says (RFC 9110 section 8.6); nothing when the head has none. Digits and nothing else; the same
/// value may stand there several times. Error (kind protocol) for all else, and for what 64 bits cannot hold.
Result<std::optional<std::uint64_t>> content_length(const Head& head);

}  // namespace usbloop::http
