#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop {

/// How a process ended.
struct ExitStatus {
  int code = 0;    ///< -1 when a signal ended it
  int signal = 0;  ///< 0 when it exited by itself

  [[nodiscard]] bool success() const { return signal == 0 && code == 0; }
  /// "exit code 3" or "signal 9 (Killed)".
  [[nodiscard]] std::string text() const;
};

/// Where a child's standard output or standard error goes.
struct Output {
  enum class Kind { inherit, null, file, pipe };
  Kind kind = Kind::inherit;
  std::string path = {};  ///< file: made with mode 0600, appended to

  static Output to_null() { return {Kind::null}; }
  static Output to_file(std::string path) { return {Kind::file, std::move(path)}; }
  static Output to_pipe() { return {Kind::pipe}; }
};

struct ProcessSpec {
  std::vector<std::string> argv;  ///< the program first; looked up on the PATH that it gets when it has no slash
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< put over our own
  bool clean_environment = false;                                     ///< it gets `environment` alone
  std::string working_directory = {};                                 ///< empty: ours
  Output standard_output = {};
  Output standard_error = {};
  bool new_session = false;    ///< setsid: signals of our terminal do not reach it
  bool new_group = false;      ///< a process group of its own: what it has started is killed with it
  bool ends_with_us = false;   ///< SIGTERM when the thread that starts it ends, and so when we do
  bool inherit_input = false;  ///< standard input is ours; else it is empty
  int input_and_output = -1;   ///< a socket that is both, in place of the two above; it stays the caller's
  /// Written by the child itself before the program starts, so that no crash of ours can leave a child without it.
  /// Relative to `working_directory`.
  std::string pid_file = {};
};

/// A child process. It gets no descriptor of ours but the standard three, no blocked signals and default signal
/// handling. The destructor kills and reaps it, unless it was detached. Not thread-safe.
class Process {
 public:
  /// Errors: not_found, denied or what else execve says; the program has not run then.
  static Result<Process> spawn(const ProcessSpec& spec);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable once the process has ended; ours to close.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  /// The reading ends of pipes asked for; each can be taken once.
  Fd take_output() { return std::move(output_); }
  Fd take_error() { return std::move(error_); }

  /// Errors when the process has ended already (not_found).
  Result<> signal(int number);
  /// Reaps without waiting; nothing while it runs. The same answer every time afterwards.
  std::optional<ExitStatus> try_wait();
  /// Waits for the end; ErrorKind::timeout when it still runs then.
  Result<ExitStatus> wait(std::chrono::milliseconds timeout);
  /// SIGTERM, up to `grace`, then SIGKILL; reaps.
  ExitStatus stop(std::chrono::milliseconds grace);
  /// SIGKILL; reaps.
  ExitStatus kill();
  /// Lets the process live on without us.
  void detach() { pid_ = -1; }

 private:
  Process(pid_t pid, Fd pidfd, bool leads_group) : pid_(pid), leads_group_(leads_group), pidfd_(std::move(pidfd)) {}
  void kill_and_reap();

  pid_t pid_ = -1;
  bool leads_group_ = false;
  Fd pidfd_;
  Fd output_;
  Fd error_;
  std::optional<ExitStatus> exit_;
};

}  // namespace usbloop
