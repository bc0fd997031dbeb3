#pragma once

#include <string>

#include "common/error.h"
#include "common/fd.h"

// A unix socket by directory and name: a socket's address holds 107 bytes, a path may be longer.
namespace usbloop::launcher {

/// Connects to the stream socket `name` in `directory`. Non-blocking.
Result<Fd> connect_in_directory(const std::string& directory, const std::string& name);

}  // namespace usbloop::launcher
