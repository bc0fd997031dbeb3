#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/objects/managed_fields/managers.h"
#include "kube-sim/schema/merge_schema.h"

// Who owns which fields of an object, and server-side apply, as kube-apiserver does them (its structured-merge-diff).
// Without state; objects are JSON trees, whose metadata.managedFields is read and written.
namespace usbloop::apiserver {

/// One write.
struct FieldOwner {
  Manager manager;
  std::string now;  ///< RFC 3339
};

/// After a create (`before` null), update or patch: gives what changed to the owner, takes it from everybody else, and
/// writes the outcome into `object`. The client's own managedFields in `object` count when they can be read; [{}]
/// throws the whole record away. An object that nobody is recorded for stays so until it is applied to.
void track_update(const nlohmann::json* before, nlohmann::json& object, const FieldOwner& owner,
                  const MergeSchema& schema);

/// The live object (null: there is none) with the configuration applied to it: the owner gets the configuration's
/// fields, those that it applied before and no more go unless somebody else owns them. When nothing changes, the
/// object is the live one with its record untouched. 409 with the causes when others own fields that would change and
/// not `force`; 400 for a configuration that cannot be applied.
tl::expected<nlohmann::json, kube::Status> apply_configuration(const nlohmann::json* live,
                                                               const nlohmann::json& configuration,
                                                               const FieldOwner& owner, bool force,
                                                               const MergeSchema& schema);

}  // namespace usbloop::apiserver
