#pragma once

#include "kube-sim/security/bootstrap.h"

namespace usbloop::apiserver {

/// Kubernetes' own roles and bindings, as far as there is something here that they can be about.
BootstrapPolicy kubernetes_policy();

}  // namespace usbloop::apiserver
