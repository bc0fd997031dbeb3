#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/schema/merge_schema.h"

namespace usbloop::apiserver {

enum class PatchType { json, merge, strategic_merge, apply };

/// From the Content-Type; 415 naming what is taken. Strategic merge is for built-in kinds only.
tl::expected<PatchType, kube::Status> patch_type(const std::string& content_type, bool takes_strategic_merge);

/// Reads the body of a patch: JSON, or YAML for `apply`.
tl::expected<nlohmann::json, kube::Status> parse_patch(PatchType type, const std::string& body);

/// The patched object, whose kind's lists are merged as the schema says; not for `apply`, see apply_configuration().
/// Errors: 422 for a JSON patch that does not fit, 413 for one that grows beyond bounds.
tl::expected<nlohmann::json, kube::Status> apply_patch(PatchType type, const nlohmann::json& current,
                                                       const nlohmann::json& patch, const MergeSchema& schema);

}  // namespace usbloop::apiserver
