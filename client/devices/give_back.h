#pragma once

#include <sys/types.h>

#include <string>

#include "client/devices/usb_device.h"
#include "common/error.h"
#include "common/process.h"

namespace usbloop::client {

/// Gives the device that `selector` means back to this machine's own drivers, for a redirection that was killed and
/// could not do it. Returns what to tell the person. Errors: those of choosing and opening a device; conflict when a
/// redirection is using or resetting it. Making sure of that takes a second, unless `holder_has_ended`.
Result<std::string> give_back(const Selector& selector, bool holder_has_ended);

/// Waits until the parent process, which has to be `parent`, has ended. From the guard's only thread.
void wait_for_end_of(pid_t parent);

/// Starts the guard of a device that is about to be taken: this program again, which waits for our end and then gives
/// the device back. An orderly end kills the guard first, through the returned object. After SIGKILL or a crash of ours
/// the guard does its work. Ctrl-C does not reach it.
Result<Process> start_guard(const LocalDevice& device);

}  // namespace usbloop::client
