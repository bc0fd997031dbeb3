#include "bench/meter.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

namespace usbloop::bench {
namespace {

namespace fs = std::filesystem;

double seconds_of(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

cpu_set_t affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return set;
}

/// Before anything was pinned.
const cpu_set_t& affinity_at_start() {
  static const cpu_set_t kAtStart = affinity();
  return kAtStart;
}

void pin_threads(const std::string& process, const cpu_set_t& set) {
  std::error_code gone;
  // Not a loop over the range: its increment throws when the process goes meanwhile.
  for (fs::directory_iterator entry("/proc/" + process + "/task", gone); !gone && entry != fs::directory_iterator();
       entry.increment(gone)) {
    const std::string name = entry->path().filename();
    pid_t thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    if (thread > 0) ::sched_setaffinity(thread, sizeof set, &set);
  }
}

}  // namespace

double cpu_seconds(pid_t pid) {
  clockid_t clock{};
  return ::clock_getcpuclockid(pid, &clock) == 0 ? seconds_of(clock) : 0;
}

double cpu_seconds(const std::vector<pid_t>& pids) {
  double sum = 0;
  for (const pid_t pid : pids) sum += cpu_seconds(pid);
  return sum;
}

double own_cpu_seconds() { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }

double machine_busy_seconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  std::uint64_t fields[8] = {};  // user nice system idle iowait irq softirq steal
  for (auto& field : fields) file >> field;
  const auto busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7];
  return static_cast<double>(busy) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

ForeignMeter::ForeignMeter(std::function<double()> ours)
    : ours_(std::move(ours)),
      begin_(std::chrono::steady_clock::now()),
      busy_(machine_busy_seconds()),
      ours_at_begin_(ours_()) {}

double ForeignMeter::share() const {
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin_;
  const double foreign = machine_busy_seconds() - busy_ - (ours_() - ours_at_begin_);
  return std::clamp(foreign / (wall.count() * std::max(1U, std::thread::hardware_concurrency())), 0.0, 1.0);
}

void pin(const std::vector<pid_t>& pids, int processor) {
  cpu_set_t set = affinity_at_start();
  if (processor >= 0) {
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(processor), &set);
  }
  for (const pid_t pid : pids) pin_threads(std::to_string(pid), set);
  pin_threads("self", set);
}

std::vector<int> processors() {
  std::vector<int> found;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(static_cast<std::size_t>(i), &affinity_at_start())) found.push_back(i);
  }
  return found;
}

}  // namespace usbloop::bench
