#pragma once

#include <string>

namespace usbloop::client {

/// What --help says below the options; `program` is how the person called it.
std::string help_footer(const std::string& program);

}  // namespace usbloop::client
