#pragma once

#include <spdlog/spdlog.h>

#include <functional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace usbloop {

/// Sends the program's log to standard error, one line per event: time, level, program, message. Call once, from main.
/// `level` is one of trace, debug, info, warn, error, off. Thread-safe afterwards. Where `write` is given, it gets each
/// line with its newline in place of standard error, one call at a time, as long as the process lives.
Result<> init_logging(const std::string& program, const std::string& level,
                      std::function<void(std::string_view line)> write = nullptr);

}  // namespace usbloop
