#pragma once

#include <memory>
#include <vector>

#include "apiserver-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kCustomResourceDefinition = "customresourcedefinitions.apiextensions.k8s.io";
inline constexpr const char* kApiService = "apiservices.apiregistration.k8s.io";
inline constexpr const char* kKubeVirt = "kubevirts.kubevirt.io";

/// The kinds in which a cluster says what is installed in it, and by which its clients find that out: custom resource
/// definitions, API services, the KubeVirt object, services. Nothing acts on their objects.
std::vector<std::unique_ptr<Resource>> installed_kinds();

}  // namespace usbloop::apiserver
