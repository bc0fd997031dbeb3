#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "common/error.h"

namespace usbloop {

/// Sends the program's log to standard error, one line per event: time, level, program, message. Call once, from main.
/// `level` is one of trace, debug, info, warn, error, off. Thread-safe afterwards.
Result<> init_logging(const std::string& program, const std::string& level);

}  // namespace usbloop
