#include "common/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "common/small_file.h"

extern char** environ;

namespace usbloop {
namespace {

using Clock = std::chrono::steady_clock;

/// What the child needs between fork and exec, where it may not allocate. The parent makes it.
struct ChildPlan {
  std::string program;
  std::vector<char*> argv;
  std::vector<std::string> environment_text;
  std::vector<char*> environment;
  const char* working_directory = nullptr;
  const char* pid_file = nullptr;
  bool new_session = false;
  bool new_group = false;
  int input = -1;   ///< -1: inherit
  int output = -1;  ///< -1: inherit
  int error = -1;
  int report = -1;  ///< an errno goes here when exec is not reached
};

bool is_executable_file(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!name.empty()) {
    const auto colon = rest.find(':');
    const std::string directory(rest.substr(0, colon));
    if (std::string file = (directory.empty() ? "." : directory) + "/" + name; is_executable_file(file)) return file;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return make_error(ErrorKind::not_found, "start", name, "no such program on PATH");
}

std::vector<std::string> merged_environment(const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    const bool replaced =
        std::any_of(additions.begin(), additions.end(), [&](const auto& added) { return added.first == name; });
    if (!replaced) result.emplace_back(text);
  }
  for (const auto& [name, value] : additions) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));  // execve's type; it does not write
  result.push_back(nullptr);
  return result;
}

/// Only async-signal-safe calls from here to exec: another thread may have held any lock at the fork.
bool write_pid_file(const char* path) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text - 1, static_cast<int>(::getpid())).ptr;
  *end = '\n';
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  const auto size = static_cast<std::size_t>(end + 1 - text);
  const bool written = ::write(fd, text, size) == static_cast<ssize_t>(size);
  ::close(fd);
  return written;
}

bool prepare_child(const ChildPlan& plan) {
  for (int number = 1; number < NSIG; ++number) {
    if (number != SIGKILL && number != SIGSTOP) ::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (plan.new_session && ::setsid() < 0) return false;
  if (plan.new_group && ::setpgid(0, 0) < 0) return false;
  if (plan.input >= 0 && ::dup2(plan.input, 0) < 0) return false;
  if (plan.output >= 0 && ::dup2(plan.output, 1) < 0) return false;
  if (plan.error >= 0 && ::dup2(plan.error, 2) < 0) return false;
  if (plan.working_directory != nullptr && ::chdir(plan.working_directory) < 0) return false;
  if (plan.pid_file != nullptr && !write_pid_file(plan.pid_file)) return false;
  return ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) == 0;
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  if (prepare_child(plan)) ::execve(plan.program.c_str(), plan.argv.data(), plan.environment.data());
  const int number = errno;
  [[maybe_unused]] const auto ignored = ::write(plan.report, &number, sizeof number);
  ::_exit(127);
}

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

/// The errno that the child reported, or 0 when it became the program.
int child_report(int fd) {
  int number = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  return got == sizeof number ? number : 0;
}

ExitStatus to_exit_status(int status) {
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal == 0) return "exit code " + std::to_string(code);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

Result<Process> Process::spawn(const ProcessSpec& spec) {
  if (spec.argv.empty()) return make_error(ErrorKind::invalid, "start", "a process", "no program given");
  ChildPlan plan;
  auto program = find_program(spec.argv.front());
  if (!program) return tl::unexpected(program.error());
  plan.program = std::move(*program);
  plan.argv = pointers(spec.argv);
  plan.environment_text = merged_environment(spec.environment);
  plan.environment = pointers(plan.environment_text);
  if (!spec.working_directory.empty()) plan.working_directory = spec.working_directory.c_str();
  if (!spec.pid_file.empty()) plan.pid_file = spec.pid_file.c_str();
  plan.new_session = spec.new_session;
  plan.new_group = spec.new_group;

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
  plan.input = input.get();
  plan.output = output->write.get();
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
  kill_and_reap();
  return exit_.value_or(ExitStatus{});
}

Result<Fd> open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (fd) return fd;
  const int number = errno == ESRCH ? ENOENT : errno;
  return make_errno_error("watch", "process " + std::to_string(pid), number);
}

bool wait_pidfd(int pidfd, std::chrono::milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    pollfd entry{pidfd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (Clock::now() >= until) return false;
  }
}

Result<std::uint64_t> process_start_time(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const auto read = read_small_file(path);
  if (!read) return tl::unexpected(read.error());
  const std::string& text = *read;
  // Field 2 is the program's name in parentheses and may hold anything; field 22 is the start time.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return make_error(ErrorKind::not_found, "read", path, "no such process");
  std::string_view rest = std::string_view(text).substr(name_end + 1);
  for (int field = 2; field < 22; ++field) {
    const auto space = rest.find(' ');
    if (space == std::string_view::npos) return make_error(ErrorKind::internal, "read", path, "too few fields");
    rest.remove_prefix(space + 1);
  }
  std::uint64_t ticks = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), ticks).ec != std::errc{}) {
    return make_error(ErrorKind::internal, "read", path, "field 22 is no number");
  }
  return ticks;
}

}  // namespace usbloop
