#pragma once

#include "apiserver-sim/subresource/subresource_table.h"

namespace usbloop::apiserver {

/// GET portforward/PORT[/PROTOCOL]: the guests of this cluster have no network, so that every request is refused, in
/// the words of a real server whose VMI has none (wire.md section 12).
Response portforward_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

}  // namespace usbloop::apiserver
