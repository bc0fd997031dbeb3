#pragma once

#include <filesystem>
#include <string>

#include "common/fd.h"
#include "e2e/harness/wait.h"

namespace usbloop::e2e {

/// What a command in the guest gave.
struct GuestResult {
  int status = -1;
  std::string output;  ///< without the guest's own event lines; no newline at the end
};

/// The shell on a guest's serial console, through the console's unix socket. QEMU's log of the console only tells
/// whether the guest was ready before we came: it has bytes twice when the socket was full for a moment (QEMU 7.2).
class GuestConsole {
 public:
  /// `socket`: the console's unix socket; `log`: QEMU's logfile of it.
  GuestConsole(const std::filesystem::path& socket, std::filesystem::path log);

  /// Waits for the guest's ready line and until its shell answers.
  void wait_ready(milliseconds timeout = 60s);

  /// Runs a command line in the guest's shell. Throws Failure when it does not end in time.
  GuestResult run(const std::string& command, milliseconds timeout = 30s);
  /// The same; throws Failure when its status is not 0. Returns the output.
  std::string must_run(const std::string& command, milliseconds timeout = 30s);
  /// Starts a command without waiting; finish() waits for it. One at a time.
  void start(const std::string& command);
  GuestResult finish(milliseconds timeout = 30s);

  /// After a command that did not end: interrupts it, and goes on in a new shell.
  void start_over();

  /// All that the guest has said since we connected, with line ends as "\n".
  [[nodiscard]] const std::string& text();
  /// A mark for wait_for_line: lines before it do not count.
  [[nodiscard]] std::size_t mark() { return text().size(); }
  /// Waits for a line that matches the regular expression (searched, not anchored) and returns it.
  std::string wait_for_line(const std::string& pattern, milliseconds timeout, std::size_t from = 0);
  bool has_line(const std::string& pattern, std::size_t from = 0);

 private:
  void send(const std::string& line);
  /// Whether the shell answers within a second.
  bool answers();

  Fd fd_;
  std::filesystem::path log_;
  std::string text_;
  int commands_ = 0;
};

/// Connects to a unix socket whose path may be longer than an address can hold.
Fd connect_unix(const std::filesystem::path& path);

}  // namespace usbloop::e2e
