#pragma once

#include <memory>
#include <string>

#include "common/error.h"
#include "device-sim/desk/desk_client.h"
#include "usbredir/host_end.h"

namespace usbloop::desk {

/// Takes a device of a desk and makes it the end of a redirection: the bytes pass between the desk, where the device
/// is, and whoever holds this. The device is given back by disconnect(), and when this is destroyed. `program` is what
/// the next one who wants it is told. Errors: those of DeskClient::take().
Result<std::unique_ptr<usbredir::HostEnd>> take_from_desk(DeskClient desk, const std::string& name,
                                                          const std::string& program);

}  // namespace usbloop::desk
