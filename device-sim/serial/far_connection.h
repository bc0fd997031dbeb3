#pragma once

#include <string>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::device_sim {

/// Connects to `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`, and waits for that. Errors: those of the address and of the
/// connection.
Result<Fd> connect_far_end(const std::string& target);

}  // namespace usbloop::device_sim
