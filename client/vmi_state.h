#pragma once

#include <stop_token>

#include "client/messages.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::client {

/// Asks the API server what has become of the VMI after its connection ended. The server may still call a guest Running
/// for a moment after it has gone, so this waits up to two seconds for another answer. Blocks for five seconds at most,
/// whatever the server (timeout) or the name server does, and no longer than until `stop` is requested (cancelled). A
/// request that hangs then is left to its own thread.
Result<VmiState> look_up_vmi(const kube::ClusterAccess& access, const Target& target, const std::stop_token& stop);

/// The same without waiting for another answer, and with the VirtualMachine of the VMI's name: for one that may be
/// started again.
Result<VmiState> look_up_machine(const kube::ClusterAccess& access, const Target& target, const std::stop_token& stop);

}  // namespace usbloop::client
