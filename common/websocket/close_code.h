#pragma once

#include <cstdint>
#include <string_view>

namespace usbloop::websocket {

/// Whether a peer may put this code into a Close frame (RFC 6455 section 7.4).
bool valid_close_code(std::uint16_t code);

/// Whether the reason of a Close frame is UTF-8 (RFC 6455 section 8.1).
bool valid_utf8(std::string_view text);

}  // namespace usbloop::websocket
