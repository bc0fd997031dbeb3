#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace usbloop::apiserver {

/// A member of an object: its name as it is written (escapes and all, without the quotes) and its value's text.
using JsonMember = std::pair<std::string_view, std::string_view>;

/// The members of the JSON object that this text is, without a look into their values: several times quicker than
/// reading it into a tree. For text that our own writer made, which has no blanks; nothing for any other. The views
/// point into `text`.
std::optional<std::vector<JsonMember>> json_members(std::string_view text);

}  // namespace usbloop::apiserver
