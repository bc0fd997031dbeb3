#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace usbloop::apiserver {

/// `duplicate field "spec.domain"` for each member that a JSON text gives twice in one object, at most a hundred; empty
/// for texts that are no JSON. The parser itself takes the last one silently.
std::vector<std::string> duplicate_fields(std::string_view json_text);

}  // namespace usbloop::apiserver
