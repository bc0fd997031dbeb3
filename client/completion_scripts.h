#pragma once

#include <string>

#include "common/error.h"

namespace usbloop::client {

/// The script that teaches a shell (bash, zsh, fish) to ask this program. Errors: invalid (another shell).
Result<std::string> completion_script(const std::string& shell);

}  // namespace usbloop::client
