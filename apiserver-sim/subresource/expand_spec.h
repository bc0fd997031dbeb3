#pragma once

#include "apiserver-sim/subresource/subresource_table.h"

// What a VirtualMachine is with its instancetype and preference written out. There are none of these in this cluster: a
// VM that names one is refused, as a real server refuses one that it does not find.
namespace usbloop::apiserver {

/// GET virtualmachines/NAME/expand-spec.
Response expand_spec(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
/// PUT expand-vm-spec, with the VM in the body.
Response expand_vm_spec(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

}  // namespace usbloop::apiserver
