#pragma once

#include <optional>
#include <vector>

#include "common/kube/status.h"
#include "kube-sim/objects/managed_fields/field_walk.h"
#include "kube-sim/objects/managed_fields/managers.h"

namespace usbloop::apiserver {

/// Fields of another manager that an apply would change.
struct Conflict {
  Manager manager;
  FieldSet fields;
};

std::vector<Conflict> find_conflicts(const Managers& managers, const Comparison& changes, const Manager& self);

/// 409: `Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec.x`, with a cause for each field.
kube::Status conflict_status(const std::vector<Conflict>& conflicts);

/// An item of a keyed list that lacks a key field, or is there twice, could be merged with anything: 400.
std::optional<kube::Status> refuse_ambiguous_items(const nlohmann::json& configuration, const MergeSchema& schema);

}  // namespace usbloop::apiserver
