// Real QEMU processes; the guest in them is a kernel of three instructions.
#include "launcher-sim/guest.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/process_watch.h"
#include "launcher-sim/guest_record.h"
#include "launcher-sim/power_button.h"
#include "launcher-sim/run_dir.h"
#include "launcher-sim/test_directory.h"
#include "launcher-sim/test_kernel.h"

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;
using State = GuestView::State;
namespace fs = std::filesystem;

namespace {

constexpr const char* kUid = "0e4b039f-eaea-4be4-8c97-93f935dd51b6";

struct Place {
  test::TestDirectory directory;
  QemuHost host;
  GuestSpec spec{.vmi_namespace = "default", .name = "demo", .uid = kUid, .memory_mib = 64, .client_passthrough = true};

  Place() {
    host.kernel = directory / "kernel";
    host.initramfs = directory / "initramfs";
    test::write_halting_kernel(host.kernel, true);
    std::ofstream(host.initramfs) << "none";
  }
  ~Place() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // what was detached here is still our child
    }
  }
  [[nodiscard]] std::string guest_directory() const { return directory / kUid; }
  std::unique_ptr<Guest> start() {
    auto guest = Guest::start(spec, host, guest_directory());
    REQUIRE_MESSAGE(guest, guest.error().message());
    return std::move(*guest);
  }
};

bool reaches(Guest& guest, State state, std::chrono::milliseconds limit = 20s) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (guest.observe().state != state) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);  // polls a condition with a deadline
  }
  return true;
}

/// Its kernel has said that it listens for the power button.
bool listens(const Guest& guest) {
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < until) {
    auto qmp = Qmp::connect(guest.directory(), 5s);
    if (qmp && listens_for_power_button(*qmp, 5s) == true) return true;
    std::this_thread::sleep_for(5ms);  // polls a condition with a deadline
  }
  return false;
}

/// Ends a guest that a test leaves running.
struct Cleanup {
  Guest& guest;
  ~Cleanup() { guest.kill_and_wait(5s); }
};

}  // namespace

TEST_CASE("QEMU gets the environment that it needs, and none of ours besides") {
  REQUIRE(::setenv("USBLOOP_TEST_SECRET", "hunter2", 1) == 0);
  REQUIRE(::setenv("TMPDIR", "/tmp", 1) == 0);
  Place place;
  const auto guest = place.start();
  const Cleanup cleanup{*guest};
  ::unsetenv("USBLOOP_TEST_SECRET");
  std::ifstream pid_file(place.guest_directory() + "/" + kPidFile);
  std::string pid;
  pid_file >> pid;
  REQUIRE_FALSE(pid.empty());
  std::ifstream file("/proc/" + pid + "/environ", std::ios::binary);
  std::vector<std::string> names;
  for (std::string entry; std::getline(file, entry, '\0');) names.push_back(entry.substr(0, entry.find('=')));
  CHECK(std::count(names.begin(), names.end(), "LC_ALL") == 1);
  CHECK(std::count(names.begin(), names.end(), "PATH") == 1);
  CHECK(std::count(names.begin(), names.end(), "TMPDIR") == 1);
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK((name == "LC_ALL" || name == "PATH" || name == "LD_LIBRARY_PATH" || name == "TMPDIR"));
  }
}

TEST_CASE("a guest starts, in a session of its own, with nothing of ours open") {
  Place place;
  auto lock = RunDir::open(place.directory.path());
  REQUIRE(lock);
  const auto guest = place.start();
  const Cleanup cleanup{*guest};
  REQUIRE_MESSAGE(reaches(*guest, State::running), guest->observe().cause);
  CHECK(::getsid(guest->pid()) == guest->pid());
  const fs::path proc = "/proc/" + std::to_string(guest->pid());
  CHECK(fs::equivalent(fs::read_symlink(proc / "cwd"), guest->directory()));
  for (const auto& entry : fs::directory_iterator(proc / "fd")) {
    CHECK(fs::read_symlink(entry.path()).filename() != "lock");
  }
  CHECK(read_pid(guest->directory()) == guest->pid());
  for (int slot = 0; slot < kUsbSlots; ++slot)
    CHECK(fs::is_socket(fs::path(guest->directory()) / usb_socket_name(slot)));
  CHECK(fs::is_socket(fs::path(guest->directory()) / kSerialSocket));
}

TEST_CASE("a guest that ignores the power button ends after the grace period, in order") {
  Place place;
  const auto guest = place.start();
  const Cleanup cleanup{*guest};
  REQUIRE(listens(*guest));
  REQUIRE(reaches(*guest, State::running));
  const auto began = std::chrono::steady_clock::now();
  while (guest->observe().state != State::ended) {
    guest->stop(300ms);
    REQUIRE(std::chrono::steady_clock::now() - began < 20s);
    wait_pidfd(guest->exit_fd(), 20ms);
  }
  CHECK(std::chrono::steady_clock::now() - began >= 300ms);
  CHECK(guest->observe().ended_well);
  CHECK_FALSE(fs::exists(fs::path(guest->directory()) / kQmpSocket));
  CHECK_FALSE(fs::exists(fs::path(guest->directory()) / usb_socket_name(0)));
  CHECK(guest->remove_directory());
  CHECK_FALSE(fs::exists(guest->directory()));
}

TEST_CASE("the grace period that is given last holds, and one without an end does no harm") {
  Place place;
  place.spec.grace = 100h;
  const auto guest = place.start();
  const Cleanup cleanup{*guest};
  REQUIRE(listens(*guest));
  REQUIRE(reaches(*guest, State::running));
  SUBCASE("of a guest that runs") {}
  SUBCASE("of a paused one") { REQUIRE(guest->perform(GuestAction::pause)); }
  CHECK(guest->stopping_for() == 0ms);
  guest->stop(grace_period(std::numeric_limits<std::int64_t>::max()));
  CHECK_FALSE(wait_pidfd(guest->exit_fd(), 300ms));
  CHECK(guest->observe().state == State::stopping);
  CHECK(guest->stopping_for() >= 300ms);
  guest->stop(200ms);
  CHECK(wait_pidfd(guest->exit_fd(), 20s));
  REQUIRE(reaches(*guest, State::ended));
  CHECK(guest->observe().ended_well);
  CHECK_FALSE(fs::exists(fs::path(guest->directory()) / kPidFile));  // it ended in order
}

TEST_CASE("a guest that cannot hear the power button yet is not waited for") {
  Place place;
  test::write_halting_kernel(place.host.kernel, false);
  const auto guest = place.start();
  const Cleanup cleanup{*guest};
  SUBCASE("before QEMU answers") {}
  SUBCASE("while it runs") { REQUIRE(reaches(*guest, State::running)); }
  SUBCASE("while it is paused") {
    REQUIRE(reaches(*guest, State::running));
    REQUIRE(guest->perform(GuestAction::pause));
  }
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (guest->observe().state != State::ended) {
    guest->stop(100h);
    REQUIRE(std::chrono::steady_clock::now() < until);
    wait_pidfd(guest->exit_fd(), 20ms);
  }
  CHECK(guest->observe().ended_well);
}

TEST_CASE("a QEMU that is killed has crashed, and one that cannot start says why") {
  Place place;
  const auto guest = place.start();
  REQUIRE(reaches(*guest, State::running));
  ::kill(guest->pid(), SIGKILL);
  REQUIRE(reaches(*guest, State::ended));
  CHECK_FALSE(guest->observe().ended_well);
  CHECK(guest->observe().cause.starts_with("QEMU ended with signal 9"));

  place.host.kernel = "/no/such/kernel";
  const auto broken = place.start();
  REQUIRE(reaches(*broken, State::ended));
  CHECK_FALSE(broken->observe().ended_well);
  CHECK_MESSAGE(broken->observe().cause.find("/no/such/kernel") != std::string::npos, broken->observe().cause);

  place.host.qemu = "/no/such/qemu";
  CHECK(Guest::start(place.spec, place.host, place.guest_directory()).error().kind == ErrorKind::not_found);
}

TEST_CASE("a running guest is taken over, and its end is told apart: in order or not") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    CAPTURE(signal);
    Place place;
    auto started = place.start();
    REQUIRE(reaches(*started, State::running));
    const pid_t pid = started->pid();
    started.reset();
    auto adopted = Guest::adopt(place.guest_directory());
    REQUIRE_MESSAGE(adopted, adopted.error().message());
    const Cleanup cleanup{**adopted};
    CHECK((*adopted)->pid() == pid);
    CHECK((*adopted)->spec().name == "demo");
    CHECK((*adopted)->spec().client_passthrough);
    REQUIRE(reaches(**adopted, State::running));
    ::kill(pid, signal);
    REQUIRE(reaches(**adopted, State::ended));
    const GuestView end = (*adopted)->observe();
    CHECK_MESSAGE(end.ended_well == (signal == SIGTERM), end.cause);
  }
}

TEST_CASE("a guest that ended while nobody looked is found ended, and how") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    CAPTURE(signal);
    Place place;
    auto started = place.start();
    REQUIRE(reaches(*started, State::running));
    const pid_t pid = started->pid();
    started.reset();
    const auto pidfd = open_pidfd(pid);
    ::kill(pid, signal);
    REQUIRE(wait_pidfd(pidfd->get(), 10s));
    auto adopted = Guest::adopt(place.guest_directory());
    REQUIRE_MESSAGE(adopted, adopted.error().message());
    CHECK((*adopted)->observe().state == State::ended);
    CHECK((*adopted)->observe().ended_well == (signal == SIGTERM));
  }
}

TEST_CASE("a later process with the pid of our QEMU is not touched") {
  Place place;
  fs::create_directory(place.guest_directory());
  auto stranger = Process::spawn({.argv = {"sleep", "600"}});
  REQUIRE(stranger);
  std::ofstream(place.guest_directory() + "/" + kPidFile) << stranger->pid() << "\n";
  REQUIRE(write_record(place.guest_directory(), {place.spec, 1}));
  auto adopted = Guest::adopt(place.guest_directory());
  REQUIRE_MESSAGE(adopted, adopted.error().message());
  CHECK((*adopted)->observe().state == State::ended);
  (*adopted)->kill();
  // Without a start time on record the working directory decides.
  REQUIRE(write_record(place.guest_directory(), {place.spec, std::nullopt}));
  auto again = Guest::adopt(place.guest_directory());
  REQUIRE(again);
  CHECK((*again)->observe().state == State::ended);
  (*again)->kill();
  CHECK_FALSE(stranger->try_wait());
}

TEST_CASE("a QEMU whose launcher died before it wrote down the start time is found by its working directory") {
  Place place;
  auto started = place.start();
  const pid_t pid = started->pid();
  started.reset();
  REQUIRE(write_record(place.guest_directory(), {place.spec, std::nullopt}));
  auto adopted = Guest::adopt(place.guest_directory());
  REQUIRE_MESSAGE(adopted, adopted.error().message());
  const Cleanup cleanup{**adopted};
  CHECK((*adopted)->pid() == pid);
  CHECK(reaches(**adopted, State::running));
}

TEST_CASE("folders that are no guest's are left alone") {
  Place place;
  CHECK(Guest::adopt(place.guest_directory()).error().kind == ErrorKind::invalid);
  fs::create_directory(place.guest_directory());
  REQUIRE(write_record(place.guest_directory(), {place.spec, std::nullopt}));
  CHECK(Guest::adopt(place.guest_directory()).error().kind == ErrorKind::not_found);
  GuestSpec other = place.spec;
  other.uid = "11111111-eaea-4be4-8c97-93f935dd51b6";
  REQUIRE(write_record(place.guest_directory(), {other, 7}));
  CHECK(Guest::adopt(place.guest_directory()).error().kind == ErrorKind::invalid);
  for (const std::string text : {"", "{", "[]", "null", R"({"metadata":{"uid":"../.."}})"}) {
    std::ofstream(place.guest_directory() + "/" + kRecordFile) << text;
    CHECK(Guest::adopt(place.guest_directory()).error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("one launcher for a run directory, and guests' folders are those named by a UID") {
  const test::TestDirectory directory;
  {
    const auto first = RunDir::open(directory / "node");
    REQUIRE(first);
    const auto second = RunDir::open(directory / "node");
    CHECK(second.error().kind == ErrorKind::conflict);
    fs::create_directory(first->guest_directory(kUid));
    fs::create_directory(first->path() + "/other");
    fs::create_directory_symlink("/", first->path() + "/11111111-eaea-4be4-8c97-93f935dd51b6");
    CHECK(first->guests() == std::vector<std::string>{kUid});
  }
  CHECK(RunDir::open(directory / "node"));
}

TEST_CASE("a guest is paused and goes on, a launcher that comes later finds it paused") {
  Place place;
  auto guest = place.start();
  REQUIRE(reaches(*guest, State::running));
  CHECK_FALSE(guest->observe().paused);
  REQUIRE(guest->perform(GuestAction::pause));
  CHECK(guest->observe().paused);
  CHECK(guest->perform(GuestAction::pause));  // as libvirt: nothing to do is no error
  guest.reset();

  auto adopted = Guest::adopt(place.guest_directory());
  REQUIRE_MESSAGE(adopted, adopted.error().message());
  const Cleanup later{**adopted};
  REQUIRE(reaches(**adopted, State::running));
  CHECK((*adopted)->observe().paused);
  REQUIRE((*adopted)->perform(GuestAction::reset));
  CHECK((*adopted)->observe().paused);
  REQUIRE((*adopted)->perform(GuestAction::unpause));
  CHECK_FALSE((*adopted)->observe().paused);
}

TEST_CASE("a guest that does not mind its power button is still stopped after a soft reboot was asked for") {
  Place place;
  auto guest = place.start();
  const Cleanup cleanup{*guest};
  REQUIRE(reaches(*guest, State::running));
  REQUIRE(guest->perform(GuestAction::softreboot));
  CHECK(guest->observe().rebooting);
  guest->stop(0ms);
  CHECK_FALSE(guest->observe().rebooting);
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (guest->observe().state != State::ended && std::chrono::steady_clock::now() < until) {
    guest->stop(0ms);
    std::this_thread::sleep_for(5ms);  // polls a condition with a deadline
  }
  CHECK(guest->observe().state == State::ended);
  CHECK(guest->observe().ended_well);
}
