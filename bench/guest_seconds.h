#pragma once

#include <string>

#include "e2e/harness/guest_console.h"

namespace usbloop::bench {

/// How long a command takes in a guest, by its uptime, which counts hundredths of a second. A command in which
/// something failed sets `ok=no` in the guest's shell. Throws e2e::Failure then, and when the guest does not answer in
/// time.
double guest_seconds(e2e::GuestConsole& guest, const std::string& command, e2e::milliseconds timeout);

}  // namespace usbloop::bench
