#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "launcher-sim/qmp.h"

// The state of a machine's devices without its memory, which is in a file of its own: QEMU's migration with the
// capability x-ignore-shared on both sides, through a pipe (a plain file or a command would do for some versions and
// sandboxes of QEMU, a descriptor does for all).
namespace usbloop::launcher {

/// Takes the state of a stopped machine. The machine cannot go on afterwards.
Result<std::string> save_device_state(Qmp& qmp, std::chrono::milliseconds timeout, const std::stop_token& stop);

/// Gives the state to a QEMU that waits for it (-incoming defer). The machine is stopped then, where the other was.
/// ErrorKind::conflict when QEMU does not take it; QEMU mostly ends then and says why on its standard error.
Result<> load_device_state(Qmp& qmp, const std::string& state, std::chrono::milliseconds timeout,
                           const std::stop_token& stop);

}  // namespace usbloop::launcher
