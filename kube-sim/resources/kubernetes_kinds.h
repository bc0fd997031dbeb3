#pragma once

#include <memory>
#include <vector>

#include "kube-sim/resources/custom_definition.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kApiService = "apiservices.apiregistration.k8s.io";

/// Kubernetes' own kinds of objects that have rules beside those of their schema files. The registry adds the others,
/// which stand in the schema files alone.
std::vector<std::unique_ptr<Resource>> kubernetes_kinds();

/// The texts of the schema files that describe them. The build makes the source file.
std::vector<std::string_view> kubernetes_schemas();

}  // namespace usbloop::apiserver
