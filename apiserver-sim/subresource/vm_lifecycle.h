#pragma once

#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

// The subresources start, stop and restart of a VirtualMachine, as virt-api answers them: 202 without a body, or a
// refusal in its words (wire.md section 12). They write a wish into the VM; its controller carries it out. The request
// has been authorized.
namespace usbloop::apiserver {

/// Body: StartOptions{paused, dryRun} or none.
Response start_vm(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
/// Body: StopOptions{gracePeriod, dryRun} or none.
Response stop_vm(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
/// Body: RestartOptions{gracePeriodSeconds, dryRun} or none; with a grace period of 0 the VMI's pod is ended at once.
Response restart_vm(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

}  // namespace usbloop::apiserver
