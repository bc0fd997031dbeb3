#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/net/deadline.h"
#include "common/process.h"

namespace usbloop::client {

/// A program that we start, and what it says. It ends with us, at the latest when this object goes. Belongs to the
/// thread that runs the executor.
class LaunchedProgram {
 public:
  /// One line of the program's standard output or error, without anything that steers a terminal; long lines are cut.
  using Hear = std::function<void(const std::string& line)>;

  /// Errors: not_found (no such program on PATH), denied or what else execve says.
  static Result<std::unique_ptr<LaunchedProgram>> start(const asio::any_io_executor& executor,
                                                        std::vector<std::string> argv, Hear hear);
  LaunchedProgram(const LaunchedProgram&) = delete;
  LaunchedProgram& operator=(const LaunchedProgram&) = delete;

  /// Tells its lines until it has ended. Call once.
  asio::awaitable<ExitStatus> run();

  /// SIGTERM, and SIGKILL when that does not help soon. run() goes on until it has ended.
  void stop();

 private:
  LaunchedProgram(const asio::any_io_executor& executor, Process process, Hear hear);
  asio::awaitable<void> hear_from(asio::posix::stream_descriptor& pipe);
  asio::awaitable<void> wait_for_end();
  void close_pipes();

  asio::any_io_executor executor_;
  Process process_;
  Hear hear_;
  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor error_;
  asio::posix::stream_descriptor end_;  ///< a pidfd
  std::optional<net::Deadline> last_lines_;
  std::optional<net::Deadline> killing_;
};

/// Whether the program can be found. Errors as LaunchedProgram::start(), as far as they can be known before.
Result<> find_program(const std::string& program);

}  // namespace usbloop::client
