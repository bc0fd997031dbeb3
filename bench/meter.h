#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace usbloop::bench {

/// CPU seconds (user and system, all threads) that the process has used so far; 0 when it is gone.
double cpu_seconds(pid_t pid);
/// Of all of them.
double cpu_seconds(const std::vector<pid_t>& pids);
/// Of the calling thread.
double own_cpu_seconds();

/// CPU seconds that the whole machine has been busy since it started (without waiting for disks).
double machine_busy_seconds();

/// Restricts all threads of the processes, and this process, to one processor, or (`processor` < 0) to all that this
/// process may use. Threads made later inherit it.
void pin(const std::vector<pid_t>& pids, int processor);
/// The processors that this process could use when it started.
std::vector<int> processors();

}  // namespace usbloop::bench
