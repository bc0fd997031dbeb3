#include "e2e/harness/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <regex>
#include <set>
#include <utility>

#include "common/fd.h"
#include "common/small_file.h"
#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

/// The pids that belong to a Process; all other children of ours are orphans. The harness has one thread.
std::set<pid_t>& owned_pids() {
  static std::set<pid_t> pids;
  return pids;
}

ExitStatus to_exit_status(int status) {
  if (WIFSIGNALED(status)) return {.code = -1, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

Fd open_log(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd) throw Failure("cannot open " + path.string() + ": " + std::strerror(errno));
  return fd;
}

/// The child's side of the fork. Only calls that are safe there, except for the environment of a single-threaded
/// parent.
[[noreturn]] void run_child(const ProcessSpec& spec, const std::filesystem::path& cwd, int out, int err, pid_t parent) {
  ::setsid();
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(126);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (const auto& [name, value] : spec.env) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& argument : spec.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (::chdir(cwd.c_str()) == 0) ::execvp(argv[0], argv.data());
  ::dprintf(STDERR_FILENO, "harness: cannot run %s: %s\n", argv[0], std::strerror(errno));
  ::_exit(127);
}

}  // namespace

std::string ExitStatus::text() const {
  return signal == 0 ? "exit code " + std::to_string(code) : "killed by signal " + std::to_string(signal);
}

std::string read_file(const std::filesystem::path& file) {
  constexpr std::size_t kLimit = 512 * 1024 * 1024;  // the log of a storm
  return read_small_file(file.string(), kLimit).value_or("");
}

void become_subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

void reap_orphans() {
  // WNOWAIT only looks: an owned child is left for its Process. One owned zombie can hide orphans behind it for a
  // moment; its Process reaps it as soon as somebody asks, and the destructor does in any case.
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    if (owned_pids().contains(info.si_pid)) return;
    ::waitpid(info.si_pid, nullptr, 0);
    info = {};
  }
}

Process::Process(ProcessSpec spec)
    : spec_(std::move(spec)),
      out_(spec_.log_dir / (spec_.name + ".out.log")),
      err_(spec_.log_dir / (spec_.name + ".err.log")) {
  const Fd out = open_log(out_);
  const Fd err = open_log(err_);
  const auto cwd = spec_.cwd.empty() ? spec_.log_dir : spec_.cwd;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) run_child(spec_, cwd, out.get(), err.get(), parent);
  if (pid_ < 0) throw Failure("fork: " + std::string(std::strerror(errno)));
  owned_pids().insert(pid_);
}

Process::Process(Process&& other) noexcept
    : spec_(std::move(other.spec_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      pid_(std::exchange(other.pid_, -1)),
      exit_(other.exit_) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill_hard();
  spec_ = std::move(other.spec_);
  out_ = std::move(other.out_);
  err_ = std::move(other.err_);
  pid_ = std::exchange(other.pid_, -1);
  exit_ = other.exit_;
  return *this;
}

Process::~Process() { kill_hard(); }

bool Process::reap() {
  if (exit_) return true;
  if (pid_ < 0) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  owned_pids().erase(pid_);
  exit_ = to_exit_status(status);
  return true;
}

bool Process::running() { return !reap(); }

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void Process::kill_hard() {
  if (pid_ < 0 || exit_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  owned_pids().erase(pid_);
  exit_ = to_exit_status(status);
}

ExitStatus Process::wait_exit(milliseconds timeout) {
  if (!holds_within(timeout, [&] { return reap(); })) {
    throw Failure(name() + " still runs after " + std::to_string(timeout.count()) + " ms; it said:\n" + output());
  }
  return *exit_;
}

std::string Process::out() const { return read_file(out_); }
std::string Process::err() const { return read_file(err_); }
std::string Process::output() const { return err() + out(); }

std::string Process::wait_out(const std::string& pattern, milliseconds timeout) {
  return wait_text(out_, pattern, timeout);
}

std::string Process::wait_err(const std::string& pattern, milliseconds timeout) {
  return wait_text(err_, pattern, timeout);
}

std::string Process::wait_text(const std::filesystem::path& file, const std::string& pattern, milliseconds timeout) {
  const std::regex expression(pattern);
  std::smatch match;
  std::string text;
  const auto found = [&] {
    text = read_file(file);
    return std::regex_search(text, match, expression);
  };
  bool ended = false;
  const bool settled = holds_within(timeout, [&] {
    ended = reap();  // before looking: what it wrote last is in the file by then
    return found() || ended;
  });
  if (match.empty()) {
    const std::string why = ended ? name() + " ended (" + exit_->text() + ")" : name() + " did not say so in time";
    throw Failure("waiting for /" + pattern + "/: " + why + "; it said:\n" + output());
  }
  static_cast<void>(settled);
  return match.size() > 1 ? match[1].str() : match[0].str();
}

}  // namespace usbloop::e2e
