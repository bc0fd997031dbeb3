#include "common/websocket/close_code.h"

#include <string>
#include <websocketpp/close.hpp>
#include <websocketpp/utf8_validator.hpp>

namespace usbloop::websocket {

bool valid_close_code(std::uint16_t code) {
  return !websocketpp::close::status::invalid(code) && !websocketpp::close::status::reserved(code);
}

bool valid_utf8(std::string_view text) { return websocketpp::utf8_validator::validate(std::string(text)); }

}  // namespace usbloop::websocket
