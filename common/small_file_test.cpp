#include "common/small_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "common/fd.h"

using namespace usbloop;

namespace {

/// A child that does nothing until it is killed.
pid_t idle_child() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    while (true) ::pause();
  }
  REQUIRE(pid > 0);
  return pid;
}

void end_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
}

}  // namespace

TEST_CASE("a file of /proc whose process was reaped after the opening is not found") {
  const pid_t pid = idle_child();
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(fd);
  const Fd second(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto alive = read_small_file(second.get(), path);
  REQUIRE(alive);
  CHECK(alive->starts_with(std::to_string(pid) + " ("));
  end_and_reap(pid);
  const auto gone = read_small_file(fd.get(), path);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::not_found);
  CHECK(gone.error().message() == "cannot read " + path + ": it is gone");
  CHECK(read_small_file(path).error().kind == ErrorKind::not_found);
}

TEST_CASE("a file of /proc, which has no size, is read to its end") {
  const auto mounts = read_small_file("/proc/self/maps");
  REQUIRE(mounts);
  CHECK(mounts->size() > 1000);
  CHECK(mounts->back() == '\n');
}

TEST_CASE("a small file is read up to its limit, and no byte more") {
  std::string path = (std::filesystem::temp_directory_path() / "usbloop-small-XXXXXX").string();
  const Fd file(::mkstemp(path.data()));
  REQUIRE(file);
  const std::string content(20'000, 'x');
  REQUIRE(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  CHECK(read_small_file(path, content.size()).value_or("") == content);
  const auto larger = read_small_file(path, content.size() - 1);
  REQUIRE_FALSE(larger);
  CHECK(larger.error().kind == ErrorKind::invalid);
  CHECK(larger.error().cause == "larger than 19999 bytes");
  ::unlink(path.c_str());
}

TEST_CASE("what is no file is an error, and never an exception") {
  CHECK(read_small_file("/proc/self").error().message() == "cannot read /proc/self: Is a directory");
  CHECK(read_small_file("/nowhere/at/all").error().kind == ErrorKind::not_found);
}
