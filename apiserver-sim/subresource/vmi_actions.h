#pragma once

#include "apiserver-sim/subresource/subresource_table.h"

// The plain subresources of VMIs: checked here, done by the node. wire.md sections 9, 12 and 13. Success is 200 without
// a body, as the real server answers.
namespace usbloop::apiserver {

Response pause_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
Response unpause_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
Response softreboot_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
Response reset_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
Response freeze_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);
Response unfreeze_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

/// The picture on the guest's display. The nodes of this cluster take none: refused once the VMI could have one.
Response screenshot_vmi(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

/// guestosinfo, userlist, filesystemlist: every error is 500 with a text.
Response guest_os_info(const Registry& registry, Store& store, const Request& request, const RequestInfo& info);

}  // namespace usbloop::apiserver
