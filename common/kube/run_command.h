#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"

namespace usbloop::kube {

/// A command to run for what it prints.
struct Command {
  std::vector<std::string> arguments;  ///< the program first; looked up in PATH when it has no slash
  std::vector<std::pair<std::string, std::string>> environment;  ///< on top of this process's own
  bool inherit_stdin = false;                                    ///< else standard input is empty
  std::chrono::milliseconds timeout{60'000};
  std::size_t max_output_bytes = 1024 * 1024;
};

struct CommandOutput {
  int exit_status = 0;  ///< 128 + signal number when a signal ended it, as shells say it
  std::string text;     ///< standard output
};

/// Runs the command; standard error is ours. Errors: not_found (no such program), timeout (it is killed), invalid
/// (too much output), internal.
Result<CommandOutput> run_command(const Command& command);

/// Whether standard input is a terminal, so that a command can ask the person for something.
bool stdin_is_terminal();

}  // namespace usbloop::kube
