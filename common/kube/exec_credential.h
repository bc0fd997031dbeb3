#pragma once

#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/kube/kubeconfig_file.h"

namespace usbloop::kube {

/// Runs the credential plugin of a user's `exec` section and puts the token or client certificate that it prints into
/// `access`, whose cluster part is filled in already. Blocks until the plugin ends, for a minute at most. Source:
/// kubernetes.io/docs/reference/config-api/client-authentication.v1
Result<> apply_exec_credential(const Section& exec, ClusterAccess& access);

}  // namespace usbloop::kube
