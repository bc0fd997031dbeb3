#pragma once

#include "client/messages.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::client {

/// Asks the API server what has become of the VMI after its connection ended. A guest that has just gone may still be
/// called Running for a moment, so this waits up to two seconds for another answer. Blocks.
Result<VmiState> look_up_vmi(const kube::ClusterAccess& access, const Target& target);

}  // namespace usbloop::client
