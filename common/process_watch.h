#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

#include "common/error.h"
#include "common/fd.h"

// Any process, a child of ours or not.
namespace usbloop {

/// A descriptor that becomes readable when the process ends, for any process. not_found when there is none.
Result<Fd> open_pidfd(pid_t pid);

/// Waits until `pidfd` says that its process has ended; false when the time is over first.
bool wait_pidfd(int pidfd, std::chrono::milliseconds timeout);

/// When the process started, in clock ticks since boot (/proc/PID/stat). Together with the pid it names a process for
/// good. not_found when there is none, or when it ends while we look.
Result<std::uint64_t> process_start_time(pid_t pid);

}  // namespace usbloop
