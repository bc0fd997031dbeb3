#pragma once

#include "kube-sim/security/bootstrap.h"

namespace usbloop::apiserver {

/// KubeVirt's roles and bindings, as virt-operator of v1.6 makes them. usbredir is for those who may edit.
BootstrapPolicy kubevirt_policy();

}  // namespace usbloop::apiserver
