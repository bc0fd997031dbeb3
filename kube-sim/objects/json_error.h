#pragma once

#include <string>
#include <string_view>

namespace usbloop::apiserver {

/// What is wrong with a text that is no JSON, in the words of Go's encoding/json, which clients know: "unexpected end
/// of JSON input", "invalid character 'x' looking for beginning of value". Empty when nothing is. Any depth is read
/// without recursion.
std::string json_syntax_error(std::string_view text);

}  // namespace usbloop::apiserver
