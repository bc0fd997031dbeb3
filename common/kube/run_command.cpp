#include "common/kube/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "common/fd.h"

extern char** environ;

namespace usbloop::kube {

namespace {

using Clock = std::chrono::steady_clock;

/// A started child. The destructor kills and reaps it when nobody waited for it.
class Child {
 public:
  Child(pid_t pid, bool own_group) : pid_(pid), own_group_(own_group) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(own_group_ ? -pid_ : pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// The exit status once the child has ended, or a timeout. A plugin that closed its output is about to end, so
  /// this looks a few times a second at most.
  Result<int> wait_until(Clock::time_point deadline) {
    for (;;) {
      int status = 0;
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      if (ended < 0 && errno != EINTR) return make_errno_error("wait for", "the command");
      if (Clock::now() >= deadline) return make_error(ErrorKind::timeout, "wait for", "the command", "no end in time");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  pid_t pid_;
  bool own_group_;
};

/// posix_spawn's attributes and file actions, destroyed together.
class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

std::vector<std::string> merged_environment(const Command& command) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [key, value] : command.environment) replaced = replaced || key == name;
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [key, value] : command.environment) merged.push_back(key + "=" + value);
  return merged;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> spawn(const Command& command, int output) {
  SpawnSetup setup;
  ::posix_spawn_file_actions_adddup2(&setup.actions, output, STDOUT_FILENO);
  if (!command.inherit_stdin) {
    ::posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    // A group of its own, so that a timeout also ends what the command started. A command that talks to the terminal
    // must stay in our group: the terminal stops background groups that read from it.
    ::posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&setup.attributes, 0);
  }
  auto arguments = command.arguments;
  auto environment = merged_environment(command);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, arguments.front().c_str(), &setup.actions, &setup.attributes,
                                  pointers_to(arguments).data(), pointers_to(environment).data());
  if (code != 0) return make_errno_error("run", command.arguments.front(), code);
  return pid;
}

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
  if (command.arguments.empty()) return make_error(ErrorKind::invalid, "run", "", "no command");
  const auto deadline = Clock::now() + command.timeout;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return make_errno_error("make a pipe for", command.arguments.front());
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const auto pid = spawn(command, write_end.get());
  if (!pid) return tl::unexpected(pid.error());
  Child child(*pid, !command.inherit_stdin);
  write_end.reset();
  auto text = read_output(read_end.get(), command, deadline);
  if (!text) return tl::unexpected(text.error());
  const auto status = child.wait_until(deadline);
  if (!status) return tl::unexpected(status.error());
  return CommandOutput{*status, std::move(*text)};
}

bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

}  // namespace usbloop::kube
