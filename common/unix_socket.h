#pragma once

#include <string>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop {

/// Connects to the unix stream socket at `path`, of any length: an address holds 107 characters (unix(7)), and a longer
/// path is reached through its directory. `flags`: SOCK_NONBLOCK for a descriptor that does not block, and for a
/// connect(2) that does not wait where the listener's queue is full. Errors: conflict for such a queue, invalid for a
/// name that fits nowhere, those of the system (not_found, unavailable: nobody listens there). Any thread.
Result<Fd> connect_unix_socket(const std::string& path, int flags = 0);

}  // namespace usbloop
