#include "common/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "common/process_watch.h"
#include "common/temp_dir.h"

using namespace usbloop;
using namespace std::chrono_literals;

namespace {

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// Runs a shell line and returns what it printed.
std::string shell(const std::string& line, ProcessSpec spec = {}) {
  spec.argv = {"sh", "-c", line};
  spec.standard_output = Output::to_pipe();
  auto process = Process::spawn(spec);
  REQUIRE(process);
  const std::string text = read_all(process->take_output().get());
  REQUIRE(process->wait(10s));
  return text;
}

}  // namespace

TEST_CASE("a clean environment holds what was given and nothing else") {
  ProcessSpec spec;
  spec.argv = {"env"};
  spec.environment = {{"PATH", "/usr/bin:/bin"}, {"X", "y"}};
  spec.clean_environment = true;
  spec.standard_output = Output::to_pipe();
  auto process = Process::spawn(spec);
  REQUIRE(process);
  CHECK(read_all(process->take_output().get()) == "PATH=/usr/bin:/bin\nX=y\n");
  CHECK(process->wait(10s)->success());
}

TEST_CASE("a program is looked for on the PATH that it gets") {
  const usbloop::testing::TempDir directory;
  const std::string program = directory.path / "usbloop-program";
  std::ofstream(program) << "#!/bin/sh\nexit 5\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  ProcessSpec spec;
  spec.argv = {"usbloop-program"};
  CHECK(Process::spawn(spec).error().kind == ErrorKind::not_found);
  spec.environment = {{"PATH", directory.path.string()}};
  auto process = Process::spawn(spec);
  REQUIRE(process);
  CHECK(process->wait(10s)->code == 5);
}

TEST_CASE("a child that ends with us gets SIGTERM when the thread that started it ends") {
  ProcessSpec spec;
  spec.argv = {"sleep", "60"};
  spec.ends_with_us = true;
  Result<Process> process = make_error(ErrorKind::internal, "start", "sleep", "");
  std::thread([&] { process = Process::spawn(spec); }).join();
  REQUIRE(process);
  const auto ended = process->wait(10s);
  REQUIRE(ended);
  CHECK(ended->signal == SIGTERM);
  CHECK(ended->code == -1);
}

TEST_CASE("a child's exit code, signal and output come back") {
  CHECK(shell("echo hello") == "hello\n");
  auto failing = Process::spawn({.argv = {"sh", "-c", "exit 7"}});
  REQUIRE(failing);
  const auto status = failing->wait(10s);
  REQUIRE(status);
  CHECK(status->code == 7);
  CHECK(status->text() == "exit code 7");
  auto killed = Process::spawn({.argv = {"sleep", "600"}});
  REQUIRE(killed);
  CHECK_FALSE(killed->try_wait());
  REQUIRE(killed->signal(SIGKILL));
  CHECK(killed->wait(10s)->signal == SIGKILL);
  CHECK(killed->wait(0ms)->signal == SIGKILL);
  CHECK(killed->signal(SIGTERM).error().kind == ErrorKind::not_found);
}

TEST_CASE("a program that cannot be started is an error, not a child that exits") {
  CHECK(Process::spawn({.argv = {"no-such-program-anywhere"}}).error().kind == ErrorKind::not_found);
  CHECK(Process::spawn({.argv = {"/no/such/program"}}).error().kind == ErrorKind::not_found);
  CHECK(Process::spawn({.argv = {"/dev/null"}}).error().kind == ErrorKind::denied);
  CHECK(Process::spawn({.argv = {}}).error().kind == ErrorKind::invalid);
  CHECK(Process::spawn({.argv = {"true"}, .working_directory = "/no/such/place"}).error().kind == ErrorKind::not_found);
}

TEST_CASE("no descriptor of ours reaches the child, not even one without close-on-exec") {
  const Fd leaky(::open("/dev/null", O_RDONLY));
  REQUIRE(leaky);
  // The one above 2 is the directory that ls itself reads.
  const std::string listed = shell("ls /proc/self/fd | tr '\\n' ' '");
  CHECK(listed == "0 1 2 3 ");
}

TEST_CASE("signals that we ignore or block are the default in the child") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const std::string status = shell("grep -E '^Sig(Blk|Ign):' /proc/self/status");
  ::signal(SIGPIPE, before);
  CHECK(status == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("environment, working directory and session are as asked") {
  const usbloop::testing::TempDir directory;
  ::setenv("USBLOOP_PROCESS_TEST", "old", 1);
  ProcessSpec spec;
  spec.environment = {{"USBLOOP_PROCESS_TEST", "new"}};
  spec.working_directory = directory.path;
  spec.new_session = true;
  const std::string text =
      shell("echo $USBLOOP_PROCESS_TEST; pwd; [ \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$ ] && echo leader", spec);
  CHECK(text == "new\n" + directory.path.string() + "\nleader\n");
}

TEST_CASE("the pid file is there before the program runs and files collect the output") {
  const usbloop::testing::TempDir directory;
  ProcessSpec spec;
  spec.argv = {"sh", "-c", "read pid < run.pid; [ $pid = $$ ] && echo same; echo problem >&2"};
  spec.working_directory = directory.path;
  spec.pid_file = "run.pid";
  spec.standard_output = Output::to_file(directory.path / "log");
  spec.standard_error = Output::to_file(directory.path / "log");
  auto process = Process::spawn(spec);
  REQUIRE(process);
  REQUIRE(process->wait(10s));
  std::ifstream log(directory.path / "log");
  CHECK(std::string(std::istreambuf_iterator<char>(log), {}) == "same\nproblem\n");
}

TEST_CASE("the end of a Process is the end of the process, unless it is detached") {
  pid_t pid = 0;
  Fd pidfd;
  {
    auto process = Process::spawn({.argv = {"sleep", "600"}});
    REQUIRE(process);
    pid = process->pid();
    pidfd = std::move(*open_pidfd(pid));
  }
  CHECK(wait_pidfd(pidfd.get(), 0ms));
  CHECK(open_pidfd(pid).error().kind == ErrorKind::not_found);
  {
    auto process = Process::spawn({.argv = {"sleep", "600"}});
    REQUIRE(process);
    pid = process->pid();
    pidfd = std::move(*open_pidfd(pid));
    process->detach();
  }
  CHECK_FALSE(wait_pidfd(pidfd.get(), 0ms));
  ::kill(pid, SIGKILL);
  CHECK(::waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("a process that leads a group is killed with what it has started") {
  Fd sleeper;
  {
    auto leader = Process::spawn(
        {.argv = {"sh", "-c", "sleep 1000 & echo $!; wait"}, .standard_output = Output::to_pipe(), .new_group = true});
    REQUIRE(leader);
    CHECK(::getpgid(leader->pid()) == leader->pid());
    std::array<char, 16> pid{};
    REQUIRE(::read(leader->take_output().get(), pid.data(), pid.size() - 1) > 1);
    sleeper = std::move(*open_pidfd(std::stoi(pid.data())));
  }
  CHECK(wait_pidfd(sleeper.get(), 10s));
}

TEST_CASE("standard input is empty, or ours when asked for") {
  CHECK(shell("readlink /proc/self/fd/0") == "/dev/null\n");
  std::array<char, 4096> ours{};
  const auto size = ::readlink("/proc/self/fd/0", ours.data(), ours.size());
  REQUIRE(size > 0);
  const std::string name(ours.data(), static_cast<std::size_t>(size));
  CHECK(shell("readlink /proc/self/fd/0", {.argv = {}, .inherit_input = true}) == name + "\n");
}

TEST_CASE("stop asks first and kills what does not listen") {
  auto obedient = Process::spawn({.argv = {"sleep", "600"}});
  REQUIRE(obedient);
  CHECK(obedient->stop(10s).signal == SIGTERM);
  ProcessSpec spec{.argv = {"sh", "-c", "trap '' TERM; echo set; exec sleep 600"}};  // ignored signals stay ignored
  spec.standard_output = Output::to_pipe();
  auto stubborn = Process::spawn(spec);
  REQUIRE(stubborn);
  const Fd output = stubborn->take_output();
  char byte = 0;
  REQUIRE(::read(output.get(), &byte, 1) == 1);
  CHECK(stubborn->stop(50ms).signal == SIGKILL);
}

TEST_CASE("a process is named by pid and start time") {
  const auto own = process_start_time(::getpid());
  REQUIRE(own);
  CHECK(*own > 0);
  CHECK(*process_start_time(::getpid()) == *own);
  CHECK(process_start_time(0x7ffffff0).error().kind == ErrorKind::not_found);
}

TEST_CASE("the start time of processes that end while it is asked for is an answer or an error, never an exception") {
  std::atomic<pid_t> asked{0};
  std::atomic<bool> over{false};
  std::atomic<int> exceptions{0};
  std::atomic<int> wrong_errors{0};
  std::thread asking([&] {
    while (!over) {
      const pid_t pid = asked;
      if (pid <= 0) continue;
      try {
        const auto ticks = process_start_time(pid);
        if (!ticks && ticks.error().kind != ErrorKind::not_found) ++wrong_errors;
      } catch (const std::exception&) {
        ++exceptions;
      }
    }
  });
  for (int i = 0; i < 3000; ++i) {
    // Not fork(), which copies the page tables that a sanitizer has made: 12 ms for each.
    const pid_t pid = ::vfork();
    if (pid == 0) ::_exit(0);
    asked = pid;
    ::waitpid(pid, nullptr, 0);
  }
  over = true;
  asking.join();
  CHECK(exceptions == 0);
  CHECK(wrong_errors == 0);
}
