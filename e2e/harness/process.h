#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/process.h"
#include "e2e/harness/wait.h"

namespace usbloop::e2e {

using usbloop::ExitStatus;

struct ProcessSpec {
  std::string name;               ///< names the log files NAME.out.log and NAME.err.log
  std::vector<std::string> argv;  ///< argv[0] is looked up on the child's PATH when it holds no slash
  std::filesystem::path log_dir;
  std::map<std::string, std::string> env = {};  ///< added to (or put over) our own environment
  std::filesystem::path cwd = {};               ///< empty: log_dir
};

/// A child process (common/process.h) in a session of its own, with its output in files and nothing on its standard
/// input. It is killed and reaped by the destructor, and by the kernel when this process dies.
class Process {
 public:
  explicit Process(ProcessSpec spec);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& name() const { return spec_.name; }
  [[nodiscard]] bool running();
  void signal(int number);
  /// Kills with SIGKILL and reaps.
  void kill_hard();
  /// Throws Failure when it still runs after the timeout.
  ExitStatus wait_exit(milliseconds timeout);

  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  /// What both streams say, the error stream first; for messages.
  [[nodiscard]] std::string output() const;
  /// Waits until the regular expression is found in standard output (`out`) or standard error and returns the first
  /// capture (or the match). Throws Failure when the process ends first or time runs out.
  std::string wait_out(const std::string& pattern, milliseconds timeout);
  std::string wait_err(const std::string& pattern, milliseconds timeout);

 private:
  std::string wait_text(const std::filesystem::path& file, const std::string& pattern, milliseconds timeout);

  ProcessSpec spec_;
  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t pid_ = -1;
  std::optional<usbloop::Process> child_;
};

/// Makes this process the parent of its descendants' orphans (a QEMU whose launcher was killed), so that the harness
/// sees and reaps them. Call once, from main.
void become_subreaper();

/// Reaps children that are no Process: orphans that ended.
void reap_orphans();

/// What is in the file; empty when it is not there, or is a file of /proc whose process went meanwhile.
std::string read_file(const std::filesystem::path& file);

}  // namespace usbloop::e2e
