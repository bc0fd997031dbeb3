#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "client/devices/device_list.h"
#include "common/error.h"

namespace usbloop::client {

/// The lines for what has changed between two lists: `+ Bus 001 …` for a device that came, `- Bus 001 …` for one that
/// went; as json one object a line, {"event": "added" or "removed", "device": {…}}. Empty when nothing has.
std::string changes(const std::vector<ListedDevice>& before, const std::vector<ListedDevice>& now, ListFormat format);

/// Prints the list, then each change as it happens, until the process ends. Returns what went wrong.
Error watch_devices(ListFormat format, std::ostream& out);

}  // namespace usbloop::client
