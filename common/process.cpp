#include "common/process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/child_start.h"
#include "common/process_watch.h"

namespace usbloop {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return make_errno_error("make", "a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// The child's end of an output, and ours when it is a pipe.
Result<Pipe> open_output(const Output& output) {
  Pipe result;
  if (output.kind == Output::Kind::pipe) return make_pipe();
  if (output.kind == Output::Kind::null) result.write.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (output.kind == Output::Kind::file) {
    result.write.reset(::open(output.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  if (output.kind != Output::Kind::inherit && !result.write) return make_errno_error("open", output.path);
  return result;
}

ExitStatus to_exit_status(int status) {
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal == 0) return "exit code " + std::to_string(code);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

Result<Process> Process::spawn(const ProcessSpec& spec) {
  if (spec.argv.empty()) return make_error(ErrorKind::invalid, "start", "a process", "no program given");
  auto planned = plan_child(spec);
  if (!planned) return tl::unexpected(planned.error());
  ChildPlan& plan = *planned;

  Fd input;
  if (!spec.inherit_input) {
    input.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!input) return make_errno_error("open", "/dev/null");
  }
  auto output = open_output(spec.standard_output);
  if (!output) return tl::unexpected(output.error());
  auto error = open_output(spec.standard_error);
  if (!error) return tl::unexpected(error.error());
  auto report = make_pipe();
  if (!report) return tl::unexpected(report.error());
  plan.input = spec.input_and_output >= 0 ? spec.input_and_output : input.get();
  plan.output = spec.input_and_output >= 0 ? spec.input_and_output : output->write.get();
  plan.error = error->write.get();
  plan.report = report->write.get();

  const pid_t pid = ::fork();
  if (pid < 0) return make_errno_error("start", spec.argv.front());
  if (pid == 0) run_child(plan);
  report->write.reset();
  Process process(pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), spec.new_group);
  if (!process.pidfd_) return make_errno_error("watch", spec.argv.front());
  if (const int number = child_report(report->read.get()); number != 0) {
    return make_errno_error("start", spec.argv.front(), number);
  }
  process.output_ = std::move(output->read);
  process.error_ = std::move(error->read);
  return process;
}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill_and_reap();
  pid_ = std::exchange(other.pid_, -1);
  leads_group_ = other.leads_group_;
  pidfd_ = std::move(other.pidfd_);
  output_ = std::move(other.output_);
  error_ = std::move(other.error_);
  exit_ = std::exchange(other.exit_, std::nullopt);
  return *this;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      leads_group_(other.leads_group_),
      pidfd_(std::move(other.pidfd_)),
      output_(std::move(other.output_)),
      error_(std::move(other.error_)),
      exit_(std::exchange(other.exit_, std::nullopt)) {}

Process::~Process() { kill_and_reap(); }

void Process::kill_and_reap() {
  if (pid_ < 0 || exit_) return;
  ::kill(leads_group_ ? -pid_ : pid_, SIGKILL);  // not reaped yet, so the pid is still this process's
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_ = to_exit_status(status);
}

Result<> Process::signal(int number) {
  if (pid_ < 0 || try_wait()) return make_error(ErrorKind::not_found, "signal", "the process", "it has ended");
  if (::kill(pid_, number) != 0) return make_errno_error("signal", "process " + std::to_string(pid_));
  return {};
}

std::optional<ExitStatus> Process::try_wait() {
  if (exit_ || pid_ < 0) return exit_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) exit_ = to_exit_status(status);
  return exit_;
}

Result<ExitStatus> Process::wait(std::chrono::milliseconds timeout) {
  if (!exit_ && pid_ >= 0 && wait_pidfd(pidfd_.get(), timeout)) try_wait();
  if (exit_) return *exit_;
  return make_error(ErrorKind::timeout, "wait for the end of", "process " + std::to_string(pid_), "it still runs");
}

ExitStatus Process::stop(std::chrono::milliseconds grace) {
  static_cast<void>(signal(SIGTERM));
  if (const auto ended = wait(grace)) return *ended;
  return kill();
}

ExitStatus Process::kill() {
  kill_and_reap();
  return exit_.value_or(ExitStatus{});
}

}  // namespace usbloop
