#include "client/launched_program.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <string_view>
#include <utility>

#include "common/child_start.h"
#include "common/shown_text.h"

namespace usbloop::client {

namespace {

constexpr std::size_t kLongestLine = 1024;

/// What it started may hold its pipes open.
constexpr std::chrono::milliseconds kLastLines{200};
constexpr std::chrono::milliseconds kAfterSigterm{2'000};

std::string short_form(std::string_view line) { return one_line(line.substr(0, kLongestLine)); }

/// Takes the whole lines off `text`; of one without an end only as much is kept as is shown of it.
void tell_lines(std::string& text, const LaunchedProgram::Hear& hear) {
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const auto line = short_form(std::string_view(text).substr(begin, end - begin));
    if (!line.empty()) hear(line);
    begin = end + 1;
  }
  text.erase(0, begin);
  if (text.size() > kLongestLine) text.resize(kLongestLine);
}

}  // namespace

Result<> find_program(const std::string& program) {
  ProcessSpec spec;
  spec.argv = {program};
  const auto plan = plan_child(spec);
  if (!plan) return tl::unexpected(plan.error());
  if (::access(plan->program.c_str(), X_OK) == 0) return {};
  return make_errno_error("start", program);
}

Result<std::unique_ptr<LaunchedProgram>> LaunchedProgram::start(const asio::any_io_executor& executor,
                                                                std::vector<std::string> argv, Hear hear) {
  ProcessSpec spec;
  spec.argv = std::move(argv);
  spec.standard_output = Output::to_pipe();
  spec.standard_error = Output::to_pipe();
  spec.new_group = true;  // Ctrl-C is for us, and we end it
  spec.ends_with_us = true;
  auto process = Process::spawn(spec);
  if (!process) return tl::unexpected(process.error());
  return std::unique_ptr<LaunchedProgram>(new LaunchedProgram(executor, std::move(*process), std::move(hear)));
}

LaunchedProgram::LaunchedProgram(const asio::any_io_executor& executor, Process process, Hear hear)
    : executor_(executor),
      process_(std::move(process)),
      hear_(std::move(hear)),
      output_(executor, process_.take_output().release()),
      error_(executor, process_.take_error().release()),
      end_(executor, ::fcntl(process_.pidfd(), F_DUPFD_CLOEXEC, 0)) {}

asio::awaitable<ExitStatus> LaunchedProgram::run() {
  using asio::experimental::awaitable_operators::operator&&;
  co_await (hear_from(output_) && hear_from(error_) && wait_for_end());
  co_return process_.kill();  // has ended: this reaps it
}

asio::awaitable<void> LaunchedProgram::hear_from(asio::posix::stream_descriptor& pipe) {
  std::array<char, 4096> buffer;
  std::string text;
  asio::error_code code;
  while (!code) {
    const auto got =
        co_await pipe.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, code));
    text.append(buffer.data(), got);
    tell_lines(text, hear_);
  }
  if (!text.empty()) hear_(short_form(text));
}

asio::awaitable<void> LaunchedProgram::wait_for_end() {
  asio::error_code code;
  co_await end_.async_wait(asio::posix::stream_descriptor::wait_read, asio::redirect_error(asio::use_awaitable, code));
  last_lines_.emplace(executor_, kLastLines, [this] { close_pipes(); });
}

void LaunchedProgram::close_pipes() {
  asio::error_code ignored;
  output_.close(ignored);
  error_.close(ignored);
}

void LaunchedProgram::stop() {
  if (killing_) return;
  static_cast<void>(process_.signal(SIGTERM));  // an error: it has ended
  killing_.emplace(executor_, kAfterSigterm, [this] { static_cast<void>(process_.signal(SIGKILL)); });
}

}  // namespace usbloop::client
