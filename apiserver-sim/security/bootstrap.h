#pragma once

#include "apiserver-sim/resources/registry.h"
#include "apiserver-sim/store/store.h"
#include "common/error.h"

namespace usbloop::apiserver {

/// Makes the roles and bindings of the bootstrap policy as far as they are missing, and gives existing ones back the
/// rules, labels and subjects that they have lost, as kube-apiserver does at each start. Those with the annotation
/// rbac.authorization.kubernetes.io/autoupdate "false" are left alone. Ends with all aggregated roles resolved.
Result<> apply_bootstrap_policy(const Registry& registry, Store& store);

}  // namespace usbloop::apiserver
