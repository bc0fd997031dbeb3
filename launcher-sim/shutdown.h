#pragma once

#include <chrono>
#include <string>

#include "common/kube/rest_client.h"
#include "launcher-sim/guest.h"
#include "launcher-sim/guest_table.h"
#include "launcher-sim/node_pods.h"
#include "launcher-sim/node_vmis.h"

// What a node does with its guests when it is shut down. Nobody else works on them any more.
namespace usbloop::launcher {

/// Powers all guests off at the same time, within `grace` and a little. A VMI that allows less gets less; one that
/// allows more gets no more, so that the node ends in time.
void power_off(const GuestTable& guests, std::chrono::milliseconds grace);

/// Reports to the API, if it answers, how the guest ended: on its VMI and its launcher pod.
void report_end(const kube::RestClient& client, const NodeVmis& vmis, const NodePods& pods, const std::string& node,
                Guest& guest);

}  // namespace usbloop::launcher
