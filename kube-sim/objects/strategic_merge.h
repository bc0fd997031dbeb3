#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "common/kube/status.h"

namespace usbloop::apiserver {

/// Applies a strategic merge patch to a built-in object: as a merge patch, but the lists whose elements have a key of
/// their own (containers, conditions, taints, owner references, …) are merged by it, finalizers are united, and the
/// directives are honoured: `$patch: delete | replace | merge`, `$retainKeys`, `$deleteFromPrimitiveList/…` and
/// `$setElementOrder/…`.
void strategic_merge(nlohmann::json& object, const nlohmann::json& patch);

/// 400 for directives that there are not, and for elements without the key of their list.
std::optional<kube::Status> refuse_directives(const nlohmann::json& patch);

}  // namespace usbloop::apiserver
