#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "common/error.h"

namespace usbloop {

/// Deepest nesting of arrays and objects that is read: that of a Kubernetes object (64, kube-sim/objects/codec.h)
/// within a list or an event, and as much again. Deeper ones would end a thread's stack where they are written again.
inline constexpr int kMaxJsonTextDepth = 128;

/// Whether brackets outside strings nest no deeper than `most`. On text that is no JSON the answer means nothing, but
/// is still found safely.
bool json_depth_is_fine(std::string_view text, int most = kMaxJsonTextDepth);

/// The JSON object that is all of the text. The length is bounded by who has read the text. Error (kind protocol): what
/// it is instead, as the cause.
Result<nlohmann::json> parse_json_object(std::string_view text);

}  // namespace usbloop
