#pragma once

#include <chrono>
#include <string>

#include "common/kube/rest_client.h"
#include "launcher-sim/guest.h"
#include "launcher-sim/guest_table.h"
#include "launcher-sim/node_pods.h"
#include "launcher-sim/node_vmis.h"

// What a node that is shut down does with its guests. Nobody else works on them any more.
namespace usbloop::launcher {

/// Powers all off at the same time, within `grace` and a little, whatever the VMIs say: a node that ends waits an hour
/// for nobody. A VMI that allows less gets less.
void power_off(const GuestTable& guests, std::chrono::milliseconds grace);

/// Tells the API, if it answers, how the guest ended: of its VMI and of its launcher pod.
void report_end(const kube::RestClient& client, const NodeVmis& vmis, const NodePods& pods, const std::string& node,
                Guest& guest);

}  // namespace usbloop::launcher
