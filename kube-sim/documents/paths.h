#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "kube-sim/documents/api_groups.h"
#include "kube-sim/documents/schema_writer.h"

namespace usbloop::apiserver {

/// Adds the paths of a resource, with an operation for each verb: what clients look in for a kind's resource and for
/// the query parameters that the server takes (dryRun, fieldValidation).
void add_resource_paths(const ApiGroup& group, const ApiVersion& version, const ApiResource& resource,
                        OpenApiVersion form, SchemaWriter& writer, nlohmann::ordered_json& paths);

}  // namespace usbloop::apiserver
