#include "common/kube/run_command.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/process.h"

namespace usbloop::kube {

namespace {

using Clock = std::chrono::steady_clock;

Result<std::string> read_output(int fd, const Command& command, Clock::time_point deadline) {
  std::string text;
  std::array<char, 4096> block{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return make_error(ErrorKind::timeout, "run", command.arguments.front(), "it took too long");
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(left)) <= 0) continue;
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return make_errno_error("read the output of", command.arguments.front());
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > command.max_output_bytes) {
      return make_error(ErrorKind::invalid, "run", command.arguments.front(), "it printed too much");
    }
  }
}

}  // namespace

Result<CommandOutput> run_command(const Command& command) {
  const auto deadline = Clock::now() + command.timeout;
  auto process = Process::spawn({.argv = command.arguments,
                                 .environment = command.environment,
                                 .standard_output = Output::to_pipe(),
                                 // So that a timeout also ends what the command started. One that talks to the terminal
                                 // must stay in our group: the terminal stops background groups that read from it.
                                 .new_group = !command.inherit_stdin,
                                 .inherit_input = command.inherit_stdin});
  if (!process) {
    Error error = process.error();
    error.operation = "run";
    return tl::unexpected(std::move(error));
  }
  const Fd output = process->take_output();
  auto text = read_output(output.get(), command, deadline);
  if (!text) return tl::unexpected(text.error());
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  const auto ended = process->wait(std::max(left, std::chrono::milliseconds(0)));
  if (!ended) return tl::unexpected(ended.error());
  return CommandOutput{ended->signal == 0 ? ended->code : 128 + ended->signal, std::move(*text)};
}

bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

}  // namespace usbloop::kube
