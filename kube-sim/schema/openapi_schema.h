#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/kube/status.h"

// The schema of a CustomResourceDefinition's version (openAPIV3Schema) as a JSON tree: what Kubernetes calls
// structural. Both trees may be hostile: a schema is used only when openapi_faults() has nothing against it, findings
// are bounded.
namespace usbloop::apiserver {

/// Bounds of one schema.
inline constexpr int kDeepestOpenApi = 60;
inline constexpr std::size_t kMostOpenApiNodes = 20'000;

/// Why the schema cannot be used, each at `path` and below; empty when it can.
std::vector<kube::StatusCause> openapi_faults(const nlohmann::json& schema, const std::string& path);

/// What is wrong with an object, in the words of kube-apiserver's validation of custom resources. apiVersion, kind and
/// metadata are left to others.
std::vector<kube::StatusCause> openapi_violations(const nlohmann::json& schema, const nlohmann::json& object);

/// Takes out the fields that the schema does not have; `unknown`, when given, lists their paths (at most 100).
void openapi_prune(const nlohmann::json& schema, nlohmann::json& object, std::vector<std::string>* unknown = nullptr);

/// Writes the defaults in where fields are absent, or null and not nullable.
void openapi_default(const nlohmann::json& schema, nlohmann::json& object);

/// Whether the schema holds rules in CEL (x-kubernetes-validations).
bool openapi_has_rules(const nlohmann::json& schema);

}  // namespace usbloop::apiserver
