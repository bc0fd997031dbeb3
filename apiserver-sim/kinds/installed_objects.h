#pragma once

#include "common/error.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Makes what the installation of KubeVirt leaves in a cluster, as far as it is missing: namespace and object
/// "kubevirt", the definitions of its kinds, and an API service for each group version that is served.
Result<> make_installed_objects(const Registry& registry, Store& store);

}  // namespace usbloop::apiserver
