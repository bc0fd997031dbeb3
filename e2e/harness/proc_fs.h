#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace usbloop::e2e {

struct RunningProcess {
  pid_t pid = 0;
  std::string command;  ///< command line, arguments separated by spaces
};

/// Processes (not this one, no zombies) that belong to a directory: their working directory is in it or their command
/// line names it.
std::vector<RunningProcess> processes_of(const std::filesystem::path& dir);

/// User and system time the process has used so far.
std::chrono::milliseconds cpu_time(pid_t pid);

/// Current (VmRSS) and highest (VmHWM) resident memory, in KiB; 0 when the process is gone.
std::uint64_t resident_kib(pid_t pid);
std::uint64_t peak_resident_kib(pid_t pid);

/// Number of open file descriptors of the process.
std::size_t open_fds(pid_t pid);

}  // namespace usbloop::e2e
