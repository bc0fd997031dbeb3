#pragma once

#include <memory>
#include <vector>

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kCustomResourceDefinition = "customresourcedefinitions.apiextensions.k8s.io";
inline constexpr const char* kApiService = "apiservices.apiregistration.k8s.io";

/// Kubernetes' own kinds of objects. Nothing acts on three of them, which say what is installed in a cluster and by
/// which clients find that out: custom resource definitions, API services, services.
std::vector<std::unique_ptr<Resource>> kubernetes_kinds();

/// The texts of the schema files that describe them. The build makes the source file.
std::vector<std::string_view> kubernetes_schemas();

}  // namespace usbloop::apiserver
