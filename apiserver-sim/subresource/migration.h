#pragma once

#include "apiserver-sim/subresource/subresource_table.h"

// Moving guests between nodes, which this cluster does not do.
namespace usbloop::apiserver {

/// PUT virtualmachines/NAME/migrate: refused, as a real server refuses it for a VMI that cannot be migrated.
Response migrate_vm(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
/// PUT evacuate/cancel of a VMI, or of a VM's: takes status.evacuationNodeName away when it is the one in the body
/// (EvacuateCancelOptions{dryRun, evacuationNodeName}); nothing to do when there is none.
Response cancel_evacuation(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

}  // namespace usbloop::apiserver
