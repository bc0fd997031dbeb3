#pragma once

#include "kube-sim/security/bootstrap.h"

namespace usbloop::apiserver {

/// KubeVirt's roles and bindings, as virt-operator of v1.9 makes them by default: they join Kubernetes' own roles.
/// usbredir is for those who may edit, the screenshot of a guest for its admins.
BootstrapPolicy kubevirt_policy();

}  // namespace usbloop::apiserver
