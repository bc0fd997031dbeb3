#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "launcher-sim/run_dir.h"

namespace usbloop::launcher {

/// How long a log may become, in bytes, and what is kept of one that has.
struct LogLimit {
  std::size_t most = 16 * 1024 * 1024;
  std::size_t kept = 1024 * 1024;
};

/// Cuts a log that is too long back to its last lines, under a line that says so. Whoever writes it must be appending
/// (O_APPEND); what comes in this very moment may be lost. A log that is not there is short.
Result<> shorten_log(const std::string& path, const LogLimit& limit);

/// Keeps the logs of all guests within the limit until stop is requested: a guest may write as much to its console as
/// it likes, which would fill the disk. Blocks; for a thread of its own.
void keep_logs_short(const RunDir& run_dir, const std::stop_token& stop);

}  // namespace usbloop::launcher
