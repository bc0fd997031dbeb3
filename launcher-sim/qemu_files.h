#pragma once

#include <string>

namespace usbloop::launcher {

/// Where execvp finds the program; the name itself when it finds none.
std::string path_of_program(const std::string& program);

/// qboot, the firmware that comes with QEMU for a machine whose kernel QEMU loads: it does what such a kernel needs and
/// no more, while SeaBIOS looks at every device for something to boot from. Its file in the data directory of the QEMU
/// that `program` names (PREFIX/share/qemu beside PREFIX/bin), as an absolute path. Empty when it is not there.
std::string quick_firmware(const std::string& program);

}  // namespace usbloop::launcher
