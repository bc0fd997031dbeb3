#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "common/kube/status.h"
#include "kube-sim/schema/merge_schema.h"

namespace usbloop::apiserver {

/// Applies a strategic merge patch to a built-in object: as a merge patch, but the lists whose elements have a key of
/// their own (containers, conditions, owner references, …) are merged by it, sets (finalizers) are united, and the
/// directives are honoured: `$patch: delete | replace | merge`, `$retainKeys`, `$deleteFromPrimitiveList/…` and
/// `$setElementOrder/…`.
/// `schema`: that of the object; null: its lists are replaced.
void strategic_merge(nlohmann::json& object, const nlohmann::json& patch, const MergeSchema* schema);

/// 400 for directives that there are not, and for elements without the key of their list.
std::optional<kube::Status> refuse_directives(const nlohmann::json& patch, const MergeSchema* schema);

}  // namespace usbloop::apiserver
