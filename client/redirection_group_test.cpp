#include "client/redirection_group.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "client/scripted_desk.h"
#include "client/scripted_server.h"

// Several devices in one command, against a server of the test's own.

using namespace usbloop;
using namespace usbloop::client;
using client::testing::Desk;
using client::testing::DeskSource;
using client::testing::Person;
using client::testing::quick;
using client::testing::ScriptedServer;
using client::testing::status_answer;

namespace {

/// Two devices, `one` and `two`, on their way to one VMI.
class Pair {
 public:
  explicit Pair(RedirectionOptions options = quick()) : options_(std::move(options)) {}
  ~Pair() {
    if (!thread_.joinable()) return;
    group_->stop();
    thread_.join();
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void start() {
    std::vector<std::unique_ptr<DeviceSource>> devices;
    devices.push_back(std::make_unique<DeskSource>(one, "one"));
    devices.push_back(std::make_unique<DeskSource>(two, "two"));
    group_ = std::make_unique<RedirectionGroup>(
        server.access(), Target{"demo", "default"}, std::move(devices), options_,
        GroupHooks{[this](std::size_t, const Event& event) { person.hear(event, true); },
                   [this] { return Result<kube::ClusterAccess>(server.access()); },
                   [this](int status) { left_with = status; }});
    thread_ = std::thread([this] { status_ = group_->run(); });
  }
  void start_and_redirect() {
    start();
    REQUIRE(person.hears("one: Redirecting"));
    REQUIRE(person.hears("two: Redirecting"));
  }
  void press_ctrl_c() { group_->stop(); }
  int end() {
    thread_.join();
    return status_;
  }
  /// Who waits may come to its own end before it is left: then the process ends as it does otherwise, and is not left.
  [[nodiscard]] bool left_with_nothing_but(int status) const { return left_with == -1 || left_with == status; }

  ScriptedServer server;
  Desk one;
  Desk two;
  Person person;
  std::atomic<int> left_with = -1;

 private:
  RedirectionOptions options_;
  std::unique_ptr<RedirectionGroup> group_;
  std::thread thread_;
  std::atomic<int> status_ = -1;
};

}  // namespace

TEST_CASE("two devices of one command have a session each, and Ctrl-C gives both back") {
  Pair it;
  it.start_and_redirect();
  CHECK(it.server.wait_sessions(2));
  it.press_ctrl_c();
  CHECK(it.end() == 0);
  CHECK(it.left_with == -1);
  CHECK(it.one.disconnects() == 1);
  CHECK(it.two.disconnects() == 1);
  CHECK(it.person.hears("one: Stopped; the device is back."));
  CHECK(it.person.hears("two: Stopped; the device is back."));
}

TEST_CASE("a device that fails for good does not end the other, and its status is that of the command") {
  Pair it;
  it.start_and_redirect();
  it.one.reject();
  CHECK(it.person.hears("one: cannot redirect"));
  CHECK(it.two.is_taken());
  it.two.unplug();
  CHECK(it.person.hears("two: the device is unplugged"));
  it.two.plug();
  CHECK(it.person.hears("two: Redirecting", 2));
  it.press_ctrl_c();
  CHECK(it.end() == 1);
  CHECK_FALSE(it.two.is_taken());
}

TEST_CASE("with --once each device ends with its first session, and the last of them ends the command") {
  auto options = quick();
  options.once = true;
  Pair it(options);
  it.start_and_redirect();
  it.one.unplug();
  CHECK(it.person.hears("one: cannot redirect: scripted end"));
  CHECK(it.two.is_taken());
  it.two.unplug();
  CHECK(it.end() == 1);
}

TEST_CASE("a command whose devices all end in good order ends so") {
  auto options = quick();
  options.once = true;
  Pair it(options);
  it.start_and_redirect();
  it.server.close(1000);
  CHECK(it.end() == 0);
}

TEST_CASE(
    "Ctrl-C while one device is held and the other is waited for gives the first back before the process is left") {
  Pair it;
  it.start_and_redirect();
  it.two.unplug();
  CHECK(it.person.hears("two: the device is unplugged"));
  it.press_ctrl_c();
  CHECK(it.end() == 0);
  CHECK(it.left_with_nothing_but(0));
  CHECK(it.one.disconnects() == 1);
  CHECK_FALSE(it.one.is_taken());
}

TEST_CASE("Ctrl-C while all are waited for leaves the process with the worst status so far") {
  Pair it;
  it.start_and_redirect();
  it.one.reject();
  CHECK(it.person.hears("one: cannot redirect"));
  it.two.unplug();
  CHECK(it.person.hears("two: the device is unplugged"));
  it.press_ctrl_c();
  CHECK(it.end() == 1);
  CHECK(it.left_with_nothing_but(1));
}

TEST_CASE("a device for which there is no slot is refused alone") {
  Pair it;
  it.server.refuse_next(status_answer(500, "no slot (503)"));
  it.start();
  CHECK(it.person.hears("Can't access VMI demo: no slot (503)"));
  CHECK(it.person.hears("Redirecting"));
  it.press_ctrl_c();
  CHECK(it.end() == 1);
}
