#pragma once

#include <vector>

#include "kube-sim/security/bootstrap.h"

namespace usbloop::apiserver {

/// All roles and bindings that this server makes and keeps: Kubernetes', KubeVirt's, and the loop's own.
std::vector<BootstrapPolicy> bootstrap_policies();

}  // namespace usbloop::apiserver
