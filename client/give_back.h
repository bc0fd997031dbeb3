#pragma once

#include <sys/types.h>

#include <string>

#include "client/usb_device.h"
#include "common/error.h"
#include "common/process.h"

namespace usbloop::client {

/// Gives the device that `selector` means back to this machine's own drivers: what a redirection does at its end, for
/// one that was killed and could not. Returns what to tell the person. Errors: those of choosing and opening a device;
/// conflict when a redirection is using it, also one that is resetting it at this moment; unless `holder_has_ended`,
/// that takes a second to make sure of.
Result<std::string> give_back(const Selector& selector, bool holder_has_ended);

/// Waits until the parent process, which has to be `parent`, has ended. From the guard's only thread.
void wait_for_end_of(pid_t parent);

/// Starts the guard of a device that is about to be taken: this program again, which waits for our end and then gives
/// the device back. Ending in good order we kill it first, with the returned object; SIGKILL or a crash leaves it to
/// its work. Ctrl-C does not reach it.
Result<Process> start_guard(const LocalDevice& device);

}  // namespace usbloop::client
