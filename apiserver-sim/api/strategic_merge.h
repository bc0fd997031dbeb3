#pragma once

#include <nlohmann/json.hpp>

namespace usbloop::apiserver {

/// Applies a strategic merge patch to a built-in object: as a merge patch, but the lists whose elements have a key of
/// their own (conditions, addresses, taints, owner references) are merged by it, finalizers are united, and
/// `$patch: delete | replace` is honoured.
void strategic_merge(nlohmann::json& object, const nlohmann::json& patch);

}  // namespace usbloop::apiserver
