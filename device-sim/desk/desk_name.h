#pragma once

#include <string>

#include "common/error.h"

// How a running desk is found: by the name of its file, or of its socket.
namespace usbloop::desk {

/// The variable that names a desk where no option does.
inline constexpr const char* kDeskVariable = "USBLOOP_DESK";

/// The socket of the desk of that file: `usbloop/desk-….sock` in XDG_RUNTIME_DIR, else in a directory of this user's
/// under /tmp. The name comes from the file's whole path, so that each file has one desk. The directory is made, mode
/// 0700. Errors: not_found (no such file), denied (the directory is somebody else's).
Result<std::string> socket_of_desk_file(const std::string& file);

/// The socket that `desk` names: itself, with or without `unix:` before it, or that of the desk file.
Result<std::string> socket_of_desk(const std::string& desk);

}  // namespace usbloop::desk
