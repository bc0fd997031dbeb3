#include "common/metrics/process_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

#include "common/metrics/exposition.h"
#include "common/small_file.h"

namespace usbloop::metrics {
namespace {

/// What proc(5) says in /proc/self/stat, as far as it is shown.
struct Stat {
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  ///< since boot
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

std::optional<Stat> read_stat() {
  const std::string text = read_small_file("/proc/self/stat").value_or("");
  // The program's name is in parentheses and may hold anything.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(name_end + 1));
  std::vector<std::string> fields(std::istream_iterator<std::string>(rest), {});
  constexpr std::size_t kFirst = 3;  // number of the first field behind the name
  if (fields.size() < 24 - kFirst + 1) return std::nullopt;
  const auto number = [&](std::size_t field) { return std::strtoull(fields[field - kFirst].c_str(), nullptr, 10); };
  return Stat{number(14), number(15), number(20), number(22), number(23), number(24)};
}

/// Seconds since 1970.
std::optional<double> boot_time() {
  std::istringstream words(read_small_file("/proc/stat").value_or(""));
  for (std::string word; words >> word;) {
    double seconds = 0;
    if (word == "btime" && words >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<std::size_t> open_descriptors() {
  std::error_code code;
  const std::filesystem::directory_iterator begin("/proc/self/fd", code);
  if (code) return std::nullopt;
  const auto count = static_cast<std::size_t>(std::distance(begin, {}));
  return count > 0 ? count - 1 : 0;  // the one that reads the folder
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessCollector::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  const auto show = [&](prometheus::MetricFamily family, double value) {
    add_sample(family, {}, value);
    families.push_back(std::move(family));
  };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (const auto stat = read_stat()) {
    show(counter_family("process_cpu_seconds_total", "Seconds of processor time that the process has used."),
         static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks);
    show(gauge_family("process_resident_memory_bytes", "Memory that the process occupies, in bytes."),
         static_cast<double>(stat->resident_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    show(gauge_family("process_virtual_memory_bytes", "Address space of the process, in bytes."),
         static_cast<double>(stat->virtual_bytes));
    show(gauge_family("process_threads", "Threads of the process."), static_cast<double>(stat->threads));
    if (const auto boot = boot_time()) {
      show(gauge_family("process_start_time_seconds", "When the process began, in Unix seconds."),
           *boot + static_cast<double>(stat->start_ticks) / ticks);
    }
  }
  if (const auto open = open_descriptors()) {
    show(gauge_family("process_open_fds", "File descriptors that are open now."), static_cast<double>(*open));
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    show(gauge_family("process_max_fds", "File descriptors that may be open."), static_cast<double>(limit.rlim_cur));
  }
  return families;
}

}  // namespace usbloop::metrics
