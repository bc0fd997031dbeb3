#pragma once

#include <string>

#include "common/error.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {

/// The name of the template that guests of this shape are copies of: 32 hexadecimal digits over all that the state of a
/// booted guest depends on. That is QEMU's command line, the program behind it, the guest's kernel and initramfs (path,
/// size and time of change), and this boot of this machine, whose clock the guest has measured its own against. What
/// differs in any of these has another name, so no template is ever out of date. not_found when a file is missing.
Result<std::string> template_key(const GuestSpec& guest, const QemuHost& host);

}  // namespace usbloop::launcher
