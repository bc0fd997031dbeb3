#include "common/child_start.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <string_view>
#include <utility>

extern char** environ;

namespace usbloop {
namespace {

bool is_executable_file(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

/// The program's file, looked up on the PATH of the environment.
Result<std::string> find_program(const std::string& name, const std::vector<std::string>& environment) {
  constexpr std::string_view kPath = "PATH=";
  if (name.find('/') != std::string::npos) return name;
  const auto path = std::find_if(environment.begin(), environment.end(),
                                 [&](const std::string& entry) { return entry.starts_with(kPath); });
  std::string_view rest = "/usr/bin:/bin";
  if (path != environment.end()) rest = std::string_view(*path).substr(kPath.size());
  while (!name.empty()) {
    const auto colon = rest.find(':');
    const std::string directory(rest.substr(0, colon));
    if (std::string file = (directory.empty() ? "." : directory) + "/" + name; is_executable_file(file)) return file;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return make_error(ErrorKind::not_found, "start", name, "no such program on PATH");
}

std::vector<std::string> environment_of(const ProcessSpec& spec) {
  const auto& additions = spec.environment;
  std::vector<std::string> result;
  for (char** entry = spec.clean_environment ? nullptr : environ; entry != nullptr && *entry != nullptr; ++entry) {
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
  if (plan.ends_with != 0) {
    if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return false;
    if (::getppid() != plan.ends_with) ::raise(SIGTERM);  // it ended before that
  }
  if (plan.new_session && ::setsid() < 0) return false;
  if (plan.new_group && ::setpgid(0, 0) < 0) return false;
  if (plan.input >= 0 && ::dup2(plan.input, 0) < 0) return false;
  if (plan.output >= 0 && ::dup2(plan.output, 1) < 0) return false;
  if (plan.error >= 0 && ::dup2(plan.error, 2) < 0) return false;
  if (plan.working_directory != nullptr && ::chdir(plan.working_directory) < 0) return false;
  if (plan.pid_file != nullptr && !write_pid_file(plan.pid_file)) return false;
  return ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) == 0;
}

}  // namespace

Result<ChildPlan> plan_child(const ProcessSpec& spec) {
  ChildPlan plan;
  plan.environment_text = environment_of(spec);
  auto program = find_program(spec.argv.front(), plan.environment_text);
  if (!program) return tl::unexpected(program.error());
  plan.program = std::move(*program);
  plan.argv = pointers(spec.argv);
  plan.environment = pointers(plan.environment_text);
  if (!spec.working_directory.empty()) plan.working_directory = spec.working_directory.c_str();
  if (!spec.pid_file.empty()) plan.pid_file = spec.pid_file.c_str();
  plan.new_session = spec.new_session;
  plan.new_group = spec.new_group;
  if (spec.ends_with_us) plan.ends_with = ::getpid();
  return plan;
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  if (prepare_child(plan)) ::execve(plan.program.c_str(), plan.argv.data(), plan.environment.data());
  const int number = errno;
  [[maybe_unused]] const auto ignored = ::write(plan.report, &number, sizeof number);
  ::_exit(127);
}

int child_report(int fd) {
  int number = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  return got == sizeof number ? number : 0;
}

}  // namespace usbloop
