#include <doctest/doctest.h>
#include <openssl/err.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/process.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/tls_socket.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

TEST_CASE("a failing case exits with 1, names what is wrong, prints its logs, keeps its files and leaves no process") {
  const CaseDir dir;
  Process failing({.name = "must-fail",
                   .argv = {USBLOOP_MUST_FAIL},
                   .log_dir = dir.path(),
                   .env = {{"TMPDIR", dir.path().string()}}});
  CHECK(failing.wait_exit(30s).code == 1);
  const std::string said = failing.output();
  CHECK(said.find("a promise that does not hold") != std::string::npos);
  CHECK(said.find("left running: pid ") != std::string::npos);
  CHECK(said.find("sleep 1000") != std::string::npos);
  CHECK(said.find("these words are in the log") != std::string::npos);
  std::smatch kept;
  REQUIRE(std::regex_search(said, kept, std::regex("its files are kept in (\\S+)")));
  CHECK(fs::exists(fs::path(kept[1].str()) / "careless.out.log"));
  CHECK(processes_of(kept[1].str()).empty());
}

TEST_CASE("a passing case removes its directory") {
  fs::path path;
  {
    const CaseDir dir;
    path = dir.path();
    CHECK(fs::is_directory(path));
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a process is killed and reaped by its destructor") {
  const CaseDir dir;
  pid_t pid = 0;
  {
    Process process({.name = "sleeper", .argv = {"sleep", "1000"}, .log_dir = dir.path()});
    pid = process.pid();
    CHECK(process.running());
    CHECK_THROWS_AS(process.wait_exit(20ms), Failure);
  }
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("a process's exit code, signal and output are told apart") {
  const CaseDir dir;
  Process seven({.name = "seven", .argv = {"sh", "-c", "echo out; echo err >&2; exit 7"}, .log_dir = dir.path()});
  CHECK(seven.wait_exit(10s).code == 7);
  CHECK(seven.out() == "out\n");
  CHECK(seven.err() == "err\n");
  Process killed({.name = "killed", .argv = {"sh", "-c", "kill -9 $$"}, .log_dir = dir.path()});
  CHECK(killed.wait_exit(10s).signal == SIGKILL);
  CHECK_THROWS_WITH_AS(Process({.name = "absent", .argv = {"no-such-program-of-usbloop"}, .log_dir = dir.path()}),
                       "cannot start no-such-program-of-usbloop: no such program on PATH", Failure);
}

TEST_CASE("waiting for output gives the capture, and fails at once when the process ends without it") {
  const CaseDir dir;
  Process speaks({.name = "speaks", .argv = {"sh", "-c", "echo port 4711; exec sleep 1000"}, .log_dir = dir.path()});
  CHECK(speaks.wait_out("port ([0-9]+)", 10s) == "4711");
  Process silent({.name = "silent", .argv = {"true"}, .log_dir = dir.path()});
  const Stopwatch watch;
  CHECK_THROWS_AS(silent.wait_out("ready", 10s), Failure);
  CHECK(watch.elapsed() < 5s);
}

// OpenSSL 3.5 leaves an error of a closed connection in the thread's queue, where the next connection's look finds it.
TEST_CASE("an error of one TLS connection is not taken for the end of another") {
  const CaseDir dir;
  const Loop loop{dir, {.nodes = {}}};
  TlsSocket silent(loop.api().host(), loop.api().port(), loop.api().ca_file());
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
  std::string nothing;
  CHECK_THROWS_AS(silent.receive(nothing, 50ms), Failure);  // it is open, and says nothing
}

TEST_CASE("processor time and memory of a process are measured") {
  const CaseDir dir;
  Process busy({.name = "busy", .argv = {"sh", "-c", "while :; do :; done"}, .log_dir = dir.path()});
  CHECK(holds_within(20s, [&] { return cpu_time(busy.pid()) >= 100ms; }));
  CHECK(peak_resident_kib(busy.pid()) > 100);
  CHECK(open_fds(busy.pid()) >= 3);
  Process idle({.name = "idle", .argv = {"sleep", "1000"}, .log_dir = dir.path()});
  CHECK(cpu_time(idle.pid()) < 50ms);
}

TEST_CASE("file system images give back what was put in") {
  const CaseDir dir;
  const std::string text = random_bytes(10'000, 7);
  make_ext4_image(dir.path() / "ext4.img", 8 << 20, {{"hello.txt", text}});
  CHECK(read_from_ext4(dir.path() / "ext4.img", "hello.txt") == text);
  make_fat_image(dir.path() / "fat.img", 8 << 20, {{"hello.txt", text}});
  CHECK(read_from_fat(dir.path() / "fat.img", "hello.txt") == text);
  const std::string sha = make_random_image(dir.path() / "raw.img", 1 << 20, 3);
  CHECK(sha == sha256_of_file(dir.path() / "raw.img"));
  CHECK(sha256_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("frames made by hand are those of RFC 6455") {
  CHECK(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(encode({.opcode = 1, .payload = "Hello", .masked = false}) == "\x81\x05Hello");
  const std::string masked = encode({.opcode = 2, .payload = std::string(300, 'x')});
  CHECK(masked.substr(0, 4) == std::string("\x82\xfe\x01\x2c", 4));
  CHECK(masked.size() == 300 + 8);
}

namespace {

/// Takes this process's command line away, as execve(2) does for a moment, goes to `dir`, says so on `told`, and
/// becomes `sleep 1000` a little later.
[[noreturn]] void exec_slowly(const fs::path& dir, int told) {
  [[maybe_unused]] volatile char room[64 * 1024];  // puts this frame below the pages that go
  room[0] = 0;
  const std::string stat = usbloop::e2e::read_file("/proc/self/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 48; ++field) fields >> skipped;
  std::uintptr_t arguments = 0;  // field 48 of proc(5): where the command line begins
  fields >> arguments;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const bool gone = ::munmap(reinterpret_cast<void*>(arguments / page * page), page) == 0 && ::chdir(dir.c_str()) == 0;
  if (!gone || ::write(told, "x", 1) != 1) ::_exit(1);
  ::usleep(300'000);
  char name[] = "/bin/sleep";
  char seconds[] = "1000";
  char* const argv[] = {name, seconds, nullptr};
  ::execve(name, argv, nullptr);
  ::_exit(1);
}

}  // namespace

TEST_CASE("a process in the middle of its start is seen") {
  const CaseDir dir;
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t starting = ::fork();
  REQUIRE(starting >= 0);
  if (starting == 0) exec_slowly(dir.path(), told[1]);
  char byte = 0;
  CHECK(::read(told[0], &byte, 1) == 1);
  const std::vector<RunningProcess> seen = processes_of(dir.path());
  ::kill(starting, SIGKILL);
  ::waitpid(starting, nullptr, 0);
  ::close(told[0]);
  ::close(told[1]);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].pid == starting);
  CHECK(seen[0].command == "/bin/sleep 1000 ");
}

TEST_CASE("a look at the machine's processes is no failure when some of them end meanwhile") {
  const CaseDir dir;
  Process brief({.name = "brief",
                 .argv = {"sh", "-c", "i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i+1)); done"},
                 .log_dir = dir.path()});
  int looks = 0;
  do {
    CHECK_NOTHROW(processes_of("/nowhere"));
    ++looks;
  } while (brief.running());
  CHECK(looks > 1);
  CHECK(brief.wait_exit(60s).code == 0);
}
