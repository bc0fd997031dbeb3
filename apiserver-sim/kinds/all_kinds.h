#pragma once

#include "kube-sim/resources/registry.h"

namespace usbloop::apiserver {

/// Kubernetes' kinds and KubeVirt's, in the order of discovery.
Registry::Kinds all_kinds();

/// The texts of the schema files that describe KubeVirt's kinds. The build makes the source file.
std::vector<std::string_view> kubevirt_schemas();

/// Those that describe all kinds.
std::vector<std::string_view> all_schemas();

}  // namespace usbloop::apiserver
