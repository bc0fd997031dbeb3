#include "launcher-sim/qmp.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr const char* kGreeting = R"({"QMP": {"version": {}, "capabilities": []}})"
                                  "\n";

/// A QEMU that sends what it was told to, whatever is asked.
struct FakeQemu {
  Fd ours;
  Fd theirs;

  FakeQemu() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  void say(const std::string& text) const {
    REQUIRE(::send(ours.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  Result<Qmp> greeted() {
    say(kGreeting);
    say("{\"return\": {}, \"id\": 1}\n");
    return Qmp::greet(std::move(theirs), 1s);
  }
};

}  // namespace

TEST_CASE("a command's answer is found among events and answers to others") {
  FakeQemu qemu;
  auto qmp = qemu.greeted();
  REQUIRE(qmp);
  qemu.say("{\"event\": \"RTC_CHANGE\"}\n{\"return\": \"stale\", \"id\": 1}\n{\"return\": {\"status\": \"running\"},");
  qemu.say(" \"id\": 2}\n");
  const auto status = qmp->status(1s);
  REQUIRE(status);
  CHECK(*status == "running");
  qemu.say("{\"return\": true, \"id\": 3}\n");
  CHECK(*qmp->usb_attached(0, 1s));
  CHECK_FALSE(qmp->announced_end());
}

TEST_CASE("a refusal is a conflict and the conversation goes on") {
  FakeQemu qemu;
  auto qmp = qemu.greeted();
  qemu.say("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such device\"}, \"id\": 2}\n");
  const auto refused = qmp->execute("device_del", 1s);
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(refused.error().cause == "no such device");
  qemu.say("{\"error\": 7, \"id\": 3}\n{\"return\": {}, \"id\": 4}\n");
  CHECK(qmp->execute("device_del", 1s).error().cause == "refused");
  CHECK(qmp->execute("quit", 1s));
}

TEST_CASE("an orderly end is heard even when the connection is gone") {
  FakeQemu qemu;
  auto qmp = qemu.greeted();
  CHECK(qmp->take_events());
  qemu.say("{\"event\": \"POWERDOWN\"}\n{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\n");
  qemu.ours.reset();
  CHECK(qmp->take_events().error().kind == ErrorKind::unavailable);
  CHECK(qmp->announced_end());
}

TEST_CASE("a machine that is kept when its system powers off has not announced its end") {
  FakeQemu qemu;
  auto qmp = qemu.greeted();
  CHECK(qmp->take_status_change());
  qemu.say("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\n");
  CHECK(qmp->take_events());
  CHECK(qmp->announced_end());
  CHECK_FALSE(qmp->take_status_change());  // whoever asked a QEMU that ends could keep it from its end
  qemu.say("{\"event\": \"STOP\"}\n");
  CHECK(qmp->take_events());
  CHECK_FALSE(qmp->announced_end());
  CHECK(qmp->take_status_change());
}

TEST_CASE("silence is a timeout, an end is an end") {
  FakeQemu mute;
  CHECK(Qmp::greet(std::move(mute.theirs), 20ms).error().kind == ErrorKind::timeout);
  FakeQemu gone;
  gone.ours.reset();
  CHECK(Qmp::greet(std::move(gone.theirs), 1s).error().kind == ErrorKind::unavailable);
  FakeQemu later;
  auto qmp = later.greeted();
  CHECK(qmp->status(20ms).error().kind == ErrorKind::timeout);
  later.ours.reset();
  const auto after = qmp->status(20ms);
  CHECK((after.error().kind == ErrorKind::unavailable));
}

TEST_CASE("what is no QMP ends the conversation") {
  for (const std::string line : {"HTTP/1.1 200 OK\r\n\r\n", "[]\n", "\n", "{\n", "{\"no\": \"QMP\"}\n", "nul\x01\n"}) {
    CAPTURE(line);
    FakeQemu qemu;
    qemu.say(line);
    CHECK(Qmp::greet(std::move(qemu.theirs), 1s).error().kind == ErrorKind::protocol);
  }
  FakeQemu strange;
  auto qmp = strange.greeted();
  strange.say("{\"return\": [1, 2], \"id\": 2}\n{\"return\": \"yes\", \"id\": 3}\n{\"event\": 5}\n{\"id\": 4}\n");
  CHECK(qmp->status(1s).error().kind == ErrorKind::protocol);
  CHECK(qmp->usb_attached(0, 1s).error().kind == ErrorKind::protocol);
  CHECK(qmp->execute("quit", 1s).error().cause == "refused");
}

TEST_CASE("a line without end is cut at its limit") {
  FakeQemu qemu;
  std::jthread flood([&qemu] {
    const std::string piece(64 * 1024, 'x');
    while (::send(qemu.ours.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  const auto refused = Qmp::greet(std::move(qemu.theirs), 20s);
  CHECK(refused.error().kind == ErrorKind::protocol);
  CHECK(refused.error().cause == "a line is longer than 1 MiB");
}
