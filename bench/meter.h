#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
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

/// How much of the machine processes outside of the bench use, from construction on.
class ForeignMeter {
 public:
  /// `ours` gives the CPU seconds that the bench and what it started have used so far.
  explicit ForeignMeter(std::function<double()> ours);
  /// Of all processors; 0 to 1.
  [[nodiscard]] double share() const;

 private:
  std::function<double()> ours_;
  std::chrono::steady_clock::time_point begin_;
  double busy_;
  double ours_at_begin_;
};

/// Restricts all threads of the processes, and this process, to one processor, or (`processor` < 0) to all that this
/// process may use. Threads made later inherit it.
void pin(const std::vector<pid_t>& pids, int processor);
/// The processors that this process could use when it started.
std::vector<int> processors();

}  // namespace usbloop::bench
