#pragma once

#include "apiserver-sim/resources/registry.h"
#include "apiserver-sim/store/store.h"
#include "common/error.h"

namespace usbloop::apiserver {

/// Makes what the installation of KubeVirt leaves in a cluster, as far as it is missing: namespace and object
/// "kubevirt", the definitions of its kinds, and an API service for each group version that is served.
Result<> make_installed_objects(const Registry& registry, Store& store);

}  // namespace usbloop::apiserver
