#include "e2e/harness/proc_fs.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "e2e/harness/process.h"
#include "e2e/harness/wait.h"

namespace usbloop::e2e {
namespace {

namespace fs = std::filesystem;

fs::path proc(pid_t pid) { return fs::path("/proc") / std::to_string(pid); }

std::string command_line(pid_t pid) {
  std::string text = read_file(proc(pid) / "cmdline");
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

/// Whether the process runs a file: a zombie and a kernel thread do not.
bool has_executable(pid_t pid) {
  std::error_code none;
  return !fs::read_symlink(proc(pid) / "exe", none).empty();
}

/// The command line, empty for a zombie and a kernel thread. In the middle of execve(2) a process that very much runs
/// has none either, for a moment: this one is asked again.
std::string settled_command_line(pid_t pid) {
  std::string command;
  holds_within(1s, [&] {
    command = command_line(pid);
    return !command.empty() || !has_executable(pid);
  });
  return command;
}

bool is_under(const std::string& path, const std::string& dir) {
  return path == dir || path.starts_with(dir + "/") || path.starts_with(dir + " (deleted)");
}

std::uint64_t status_kib(pid_t pid, const std::string& field) {
  std::istringstream lines(read_file(proc(pid) / "status"));
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with(field + ":")) continue;
    return std::stoull(line.substr(field.size() + 1));
  }
  return 0;
}

}  // namespace

std::vector<RunningProcess> processes_of(const fs::path& dir) {
  std::vector<RunningProcess> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || pid == ::getpid()) continue;
    const std::string command = settled_command_line(pid);
    if (command.empty()) continue;  // a zombie or a kernel thread
    const std::string cwd = fs::read_symlink(entry.path() / "cwd", ignored).string();
    if (is_under(cwd, dir.string()) || command.find(dir.string()) != std::string::npos) found.push_back({pid, command});
  }
  return found;
}

std::chrono::milliseconds cpu_time(pid_t pid) {
  const std::string stat = read_file(proc(pid) / "stat");
  const std::size_t after_name = stat.rfind(')');  // the name may hold blanks and brackets
  if (after_name == std::string::npos) return {};
  std::istringstream fields(stat.substr(after_name + 1));
  std::string skipped;
  for (int field = 3; field <= 13; ++field) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

std::uint64_t resident_kib(pid_t pid) { return status_kib(pid, "VmRSS"); }
std::uint64_t peak_resident_kib(pid_t pid) { return status_kib(pid, "VmHWM"); }

std::size_t open_fds(pid_t pid) {
  std::error_code gone;
  std::size_t count = 0;
  // Not a loop over the range: its increment throws when the process goes meanwhile.
  for (fs::directory_iterator entry(proc(pid) / "fd", gone); !gone && entry != fs::directory_iterator();
       entry.increment(gone)) {
    ++count;
  }
  return count;
}

}  // namespace usbloop::e2e
