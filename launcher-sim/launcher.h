#pragma once

#include "launcher-sim/options.h"

namespace usbloop::launcher {

/// Runs the node until SIGTERM or SIGINT; the program's exit code. Call from main's thread, before any other is made.
int run(const Options& options);

}  // namespace usbloop::launcher
