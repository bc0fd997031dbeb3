#pragma once

#include <string>

#include "common/error.h"

// What the commands of device-sim say to a person.
namespace usbloop::device_sim {

/// A line on standard error, without what could steer a terminal.
void say(const std::string& text);

/// Says what is wrong, and what helps. Returns the exit status: 1.
int report(const std::string& program, const Error& error);

/// The log level for -v, as usbredirect counts them: 1 error, 2 warning, 3 info, 4 debug, 5 all; 0 is its default.
const char* log_level(int verbosity);

}  // namespace usbloop::device_sim
