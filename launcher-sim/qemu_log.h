#pragma once

#include <string>

namespace usbloop::launcher {

/// The last line of QEMU's log, where it says why it gives up; bounded and printable, empty when there is none.
std::string last_line_of_log(const std::string& path);

}  // namespace usbloop::launcher
