#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "kube-sim/objects/managed_fields/conflicts.h"

// How an object that was managed by kubectl's client-side apply comes under server-side apply: kubectl's own manager
// may take over what the last client-side apply set, and keeps the annotation with it up to date.
namespace usbloop::apiserver {

/// Whether all that conflicts was set by kubectl's last client-side apply, and kubectl itself applies now.
bool last_applied_allows(const nlohmann::json& live, const std::vector<Conflict>& conflicts, const Manager& manager,
                         const MergeSchema& schema);

/// Writes the configuration into the annotation when the object has one and kubectl applies. Answers whether it did.
bool update_last_applied(const nlohmann::json& live, nlohmann::json& object, const nlohmann::json& configuration,
                         const Manager& manager);

}  // namespace usbloop::apiserver
