// How a guest ends whose QEMU has announced its end: a process that only waits stands for QEMU, and the test answers
// for it, as no real one can be made to stay at the wanted moment.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/process.h"
#include "common/process_watch.h"
#include "launcher-sim/guest.h"
#include "launcher-sim/guest_record.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;
using nlohmann::json;
using State = GuestView::State;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

namespace {

constexpr const char* kStandInUid = "0e4b039f-eaea-4be4-8c97-93f935dd51b6";

/// A guest's folder with a process and a QMP socket, as a launcher before us would have left it.
class StandIn {
 public:
  StandIn() : directory_(root_ / kStandInUid) {
    fs::create_directory(directory_);
    process_.emplace(std::move(*Process::spawn({.argv = {"sleep", "600"}})));
    std::ofstream(directory_ + "/" + kPidFile) << process_->pid() << "\n";
    const GuestSpec spec{.vmi_namespace = "default", .name = "demo", .uid = kStandInUid, .memory_mib = 64};
    REQUIRE(write_record(directory_, {spec, *process_start_time(process_->pid())}));
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory_ + "/" + kQmpSocket;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::copy(path.begin(), path.end(), address.sun_path);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
  }

  /// The launcher's guest, connected and seen running.
  std::unique_ptr<Guest> adopted() {
    auto guest = Guest::adopt(directory_);
    REQUIRE_MESSAGE(guest, guest.error().message());
    std::jthread qemu([&] {
      qmp_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      say(R"({"QMP": {"version": {}, "capabilities": []}})");
      answer(json::object());
      answer({{"status", "running"}});
    });
    CHECK((*guest)->observe().state == State::running);
    return std::move(*guest);
  }

  /// The guest of the next launcher, which has not asked QEMU for anything.
  [[nodiscard]] std::unique_ptr<Guest> adopted_silently() const {
    auto guest = Guest::adopt(directory_);
    REQUIRE_MESSAGE(guest, guest.error().message());
    return std::move(*guest);
  }

  void say(const std::string& line) const {
    const std::string bytes = line + "\n";
    CHECK(::send(qmp_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  /// Reads one command, which fits into one read, and answers it.
  void answer(const json& value) const {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(qmp_.get(), bytes.data(), bytes.size(), 0);
    REQUIRE(got > 0);
    const json command = json::parse(bytes.begin(), bytes.begin() + got);
    say(json{{"return", value}, {"id", command.at("id")}}.dump());
  }
  /// Whether somebody has sent a command or has connected again.
  [[nodiscard]] bool was_asked() const {
    char byte = 0;
    if (qmp_ && ::recv(qmp_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return true;
    pollfd caller{listener_.get(), POLLIN, 0};
    return ::poll(&caller, 1, 0) > 0;
  }
  void hang_up() { qmp_.reset(); }
  Process& process() { return *process_; }

 private:
  test::TestDirectory root_;
  std::string directory_;
  std::optional<Process> process_;
  Fd listener_;
  Fd qmp_;
};

/// Observes until the guest has ended; nothing when it has not in 30 s.
std::optional<GuestView> watch_end(
    Guest& guest, const std::function<void()>& each_time = [] {}) {
  for (const auto until = Clock::now() + 30s; Clock::now() < until;) {
    each_time();
    if (GuestView view = guest.observe(); view.state == State::ended) return view;
    wait_pidfd(guest.exit_fd(), 20ms);
  }
  return std::nullopt;
}

constexpr const char* kShutdown = R"({"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}})";

}  // namespace

TEST_CASE("a QEMU that has announced its end is asked nothing more, and killed when it stays") {
  StandIn qemu;
  const auto guest = qemu.adopted();
  qemu.say(kShutdown);
  SUBCASE("the connection stays") {}
  SUBCASE("the connection ends") { qemu.hang_up(); }
  const auto began = Clock::now();
  const auto end = watch_end(*guest);
  REQUIRE(end);
  CHECK(Clock::now() - began >= 9s);
  CHECK(end->ended_well);
  CHECK_FALSE(qemu.was_asked());
}

TEST_CASE("a QEMU that has announced its end is not asked by who stops the guest or acts on it") {
  StandIn qemu;
  const auto guest = qemu.adopted();
  qemu.say(kShutdown);
  CHECK(guest->observe().state == State::running);
  CHECK(guest->perform(GuestAction::pause).error().cause == "the guest has ended");
  const auto end = watch_end(*guest, [&] { guest->stop(300ms); });
  REQUIRE(end);
  CHECK(end->ended_well);
  CHECK_FALSE(qemu.was_asked());
}

TEST_CASE("the next launcher knows of a QEMU that has announced its end: it asks nothing, and kills what stays") {
  StandIn qemu;
  {
    const auto first = qemu.adopted();
    qemu.say(kShutdown);
    CHECK(first->observe().state == State::running);
  }
  qemu.hang_up();
  const auto next = qemu.adopted_silently();
  const auto began = Clock::now();
  const auto end = watch_end(*next);
  REQUIRE(end);
  CHECK(Clock::now() - began >= 9s);
  CHECK(end->ended_well);
  CHECK_FALSE(qemu.was_asked());
}

TEST_CASE("the next launcher asks a QEMU that kept its machine after it had announced its end") {
  StandIn qemu;
  {
    const auto first = qemu.adopted();
    qemu.say(kShutdown);
    CHECK(first->observe().state == State::running);
    qemu.say(R"({"event": "STOP"})");
    std::jthread answers([&] { qemu.answer({{"status", "paused"}}); });
    CHECK(first->observe().paused);
  }
  qemu.hang_up();
  CHECK(qemu.adopted()->observe().state == State::running);
}

TEST_CASE("a QEMU that is killed after it kept its machine has crashed") {
  StandIn qemu;
  const auto guest = qemu.adopted();
  qemu.say(kShutdown);
  qemu.say(R"({"event": "STOP"})");
  std::jthread answers([&] { qemu.answer({{"status", "paused"}}); });
  CHECK(guest->observe().paused);
  answers.join();
  static_cast<void>(qemu.process().signal(SIGKILL));
  const auto end = watch_end(*guest);
  REQUIRE(end);
  CHECK_FALSE(end->ended_well);
}
