#include "client/redirection.h"

#include <doctest/doctest.h>

#include <thread>

#include "client/proxy_double.h"
#include "client/scripted_desk.h"
#include "client/scripted_server.h"
#include "common/test_text.h"

// Whole redirections against a server of the test's own: what each end leads to, and what is said.

using namespace usbloop;
using namespace usbloop::client;
using namespace std::chrono_literals;
using client::testing::Desk;
using client::testing::DeskSource;
using client::testing::Person;
using client::testing::quick;
using client::testing::ScriptedServer;
using client::testing::status_answer;
using usbloop::testing::contains;

namespace {

/// A redirection that runs in a thread of its own.
class Running {
 public:
  explicit Running(RedirectionOptions options = quick()) : options_(std::move(options)) {}
  ~Running() {
    if (thread_.joinable()) {
      redirection_->stop();
      thread_.join();
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void start() {
    auto access = server.access();
    if (change_access) change_access(access);
    redirection_ = std::make_unique<Redirection>(
        std::move(access), Target{"demo", "default"}, std::make_unique<DeskSource>(desk), options_,
        RedirectionHooks{[this](const Event& event) { person.hear(event, false); }, [this] { return reload(); },
                         [this](int) { left = true; }});
    thread_ = std::thread([this] { status_ = redirection_->run(); });
  }
  /// To the point where it is announced.
  void start_and_redirect() {
    start();
    REQUIRE(server.wait_sessions(1));
    REQUIRE(person.hears("Redirecting"));
  }
  void press_ctrl_c() { redirection_->stop(); }
  int end() {
    thread_.join();
    return status_;
  }

  ScriptedServer server;
  Desk desk;
  Person person;
  std::function<Result<kube::ClusterAccess>()> reload = [this] { return server.access(); };
  std::function<void(kube::ClusterAccess&)> change_access;
  std::atomic<bool> left = false;

 private:
  RedirectionOptions options_;
  std::unique_ptr<Redirection> redirection_;
  std::thread thread_;
  std::atomic<int> status_ = -1;
};

std::string vmi_in(const std::string& phase) { return R"({"metadata":{},"status":{"phase":")" + phase + "\"}}"; }
constexpr const char* kVmi = "/virtualmachineinstances/demo";
constexpr const char* kVm = "/virtualmachines/demo";
constexpr const char* kNotFound = R"(virtualmachineinstance.kubevirt.io \"demo\" not found)";

}  // namespace

TEST_CASE("a connection that is lost comes back, with one line each way, and the device is taken anew") {
  Running it;
  it.start_and_redirect();
  it.server.cut();
  CHECK(it.person.hears("to VMI default/demo again."));
  CHECK(it.person.count("reconnecting") == 1);
  CHECK(it.desk.disconnects() == 1);  // what the guest had in flight was cancelled
  it.server.close(1001);
  CHECK(it.person.hears("The server closed the connection (1001): reconnecting."));
  CHECK(it.person.hears("default/demo again.", 2));
  it.press_ctrl_c();
  CHECK(it.end() == 0);
  CHECK(it.desk.disconnects() == 3);
}

TEST_CASE("redirections and questions go through a proxy, which alone knows the server's name") {
  for (const auto kind : {kube::Proxy::Kind::http, kube::Proxy::Kind::socks5}) {
    const client::testing::ProxyDouble proxy(kind);
    Running it;
    it.change_access = [&](kube::ClusterAccess& access) {
      access.proxy = proxy.proxy();
      access.host = "api.cluster.invalid";
    };
    it.reload = [&] {
      auto access = it.server.access();
      it.change_access(access);
      return Result<kube::ClusterAccess>(access);
    };
    it.start_and_redirect();
    it.server.cut();
    CHECK(it.person.hears("default/demo again."));
    it.server.set_object(kVmi, vmi_in("Failed"));
    it.server.refuse_all(status_answer(400, "VMI is not running"));
    it.server.cut();
    CHECK(it.end() == 1);
    CHECK(it.person.hears("VMI default/demo is no longer running (phase Failed)."));
    CHECK(proxy.tunnels() >= 5);  // three sessions asked for, the VMI and the VM
  }
}

TEST_CASE("a server that ends in good order is asked again as well") {
  Running it;
  it.start_and_redirect();
  it.server.close(1000);
  CHECK(it.server.wait_sessions(2));
}

TEST_CASE("a server that is killed and started again finds its client back, which has not said each refused try") {
  Running it;
  it.start_and_redirect();
  it.server.kill();
  CHECK(it.person.hears("reconnecting"));
  CHECK_FALSE(it.desk.is_taken());
  it.server.start();
  CHECK(it.person.hears("default/demo again."));
  CHECK_MESSAGE(it.person.count("\n") == 3, it.person.all());
}

TEST_CASE("with --once the first end is the last") {
  auto options = quick();
  options.once = true;
  Running it(options);
  it.server.set_object(kVmi, vmi_in("Failed"));
  it.start_and_redirect();
  SUBCASE("lost") {
    it.server.cut();
    CHECK(it.end() == 1);
    CHECK(it.person.hears("no longer running (phase Failed)"));
  }
  SUBCASE("closed in good order") {
    it.server.close(1000);
    CHECK(it.end() == 0);
  }
  SUBCASE("unplugged") {
    it.desk.unplug();
    CHECK(it.end() == 1);
    CHECK(it.person.hears("scripted end"));
  }
  CHECK(it.server.requests() == 1);
}

TEST_CASE("what has never run is not tried again") {
  Running it;
  it.server.refuse_all(status_answer(503, "busy"));
  it.start();
  CHECK(it.end() == 1);
  CHECK(it.server.requests() == 1);
  CHECK(it.person.hears("Can't access VMI demo: busy"));
}

TEST_CASE("refusals that pass are waited for, and each is told once") {
  Running it;
  it.start_and_redirect();
  for (int count = 0; count < 3; ++count) it.server.refuse_next(status_answer(503, "the node is away"));
  it.server.refuse_next(status_answer(500, "all slots (503)"));
  it.server.cut();
  CHECK(it.person.hears("default/demo again."));
  CHECK(it.person.count("Can't access VMI demo: the node is away: trying again.") == 1);
  CHECK(it.person.count("all slots") == 1);
}

TEST_CASE("access that is revoked ends it, but one refusal alone may come from a server that has just started") {
  for (const int code : {401, 403}) {
    CAPTURE(code);
    Running it;
    int reloads = 0;
    it.reload = [&] {
      ++reloads;
      return Result<kube::ClusterAccess>(it.server.access());
    };
    it.start_and_redirect();
    it.server.refuse_next(status_answer(code, "revoked"));
    it.server.cut();
    CHECK(it.server.wait_sessions(2));
    it.server.refuse_all(status_answer(code, "revoked"));
    it.server.cut();
    CHECK(it.end() == 1);
    CHECK(it.person.hears("Can't access VMI demo: revoked"));
    CHECK(it.server.requests() == 5);
    CHECK(reloads == 2);  // a token may have been renewed
  }
}

TEST_CASE("a server that moved is found when the kubeconfig names its new place") {
  ScriptedServer moved;
  Running it;
  it.reload = [&] { return moved.access(); };
  it.start_and_redirect();
  it.server.kill();
  CHECK(moved.wait_sessions(1));
  it.press_ctrl_c();
  CHECK(it.end() == 0);
}

TEST_CASE("a kubeconfig that cannot be read while the server is away is told once, and the old one is used") {
  Running it;
  it.reload = [] { return make_error(ErrorKind::invalid, "read", "the kubeconfig", "half written"); };
  it.start_and_redirect();
  it.server.kill();
  CHECK(it.person.hears("half written"));
  it.server.start();
  CHECK(it.server.wait_sessions(2));
}

TEST_CASE("a VMI that is deleted ends it") {
  Running it;
  it.start_and_redirect();
  it.server.refuse_all(status_answer(404, kNotFound));
  it.server.cut();
  CHECK(it.end() == 1);
  CHECK(it.person.hears("VMI default/demo has been deleted."));
}

TEST_CASE("a guest's side that breaks the protocol ends it, and what a parser says of that is told with a cure") {
  Running it;
  it.desk.breaks = true;
  it.start();
  CHECK(it.end() == 1);
  CHECK(it.person.hears("the virtual machine's side broke the usbredir protocol: broken"));
  CHECK(it.person.hears("Try again; if it happens again, report it with what -vv says."));
}

TEST_CASE("a VMI that has ended and has no VM ends it") {
  Running it;
  it.start_and_redirect();
  it.server.set_object(kVmi, vmi_in("Succeeded"));
  it.server.refuse_all(status_answer(400, "VMI is not running"));
  it.server.cut();
  CHECK(it.end() == 1);
  CHECK(it.person.hears("VMI default/demo is no longer running (phase Succeeded)."));
}

TEST_CASE("a VM that is stopped is waited for until it is started") {
  Running it;
  it.server.set_object(kVm, R"({"metadata":{}})");
  it.start_and_redirect();
  it.server.refuse_all(status_answer(404, kNotFound));
  it.server.cut();
  CHECK(it.person.hears("its VM is there: waiting until it is started."));
  it.server.set_object(kVmi, vmi_in("Scheduling"));
  it.server.refuse_all(status_answer(400, "VMI is not running"));
  CHECK(it.person.hears("VMI default/demo is starting."));
  it.server.refuse_all("");
  CHECK(it.person.hears("default/demo again."));
  // The VM goes too.
  it.server.set_object(kVm, R"({"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})");
  it.server.remove_object(kVmi);
  it.server.refuse_all(status_answer(404, kNotFound));
  it.server.cut();
  CHECK(it.end() == 1);
}

TEST_CASE("a VMI that may not take devices any more ends it") {
  Running it;
  it.start_and_redirect();
  it.server.refuse_all(status_answer(409, "Not configured with USB Redirection"));
  it.server.cut();
  CHECK(it.end() == 1);
}

TEST_CASE("a device that is unplugged is taken from the guest at once, waited for and redirected again") {
  Running it;
  it.start_and_redirect();
  it.desk.unplug();
  CHECK(it.server.wait_no_session());
  CHECK(it.person.hears("the device is unplugged: waiting until it is plugged in again."));
  it.desk.plug();
  CHECK(it.person.hears("default/demo again."));
  CHECK(it.server.wait_sessions(2));
  CHECK(it.person.count("unplugged") == 1);
}

TEST_CASE("a device that is back before anybody may open it is tried until it can be opened") {
  Running it;
  it.start_and_redirect();
  it.desk.unplug();
  CHECK(it.person.hears("unplugged"));
  it.desk.plug(ErrorKind::denied);
  it.desk.plug();
  CHECK(it.server.wait_sessions(2));
  CHECK(it.person.count("wrong for now") == 0);
}

TEST_CASE("an unplugged device that cannot come back ends it") {
  Running it;
  it.desk.reliable = false;
  it.start_and_redirect();
  it.desk.unplug();
  CHECK(it.end() == 1);
}

TEST_CASE("a device that the guest rejects ends it") {
  Running it;
  it.start_and_redirect();
  it.desk.reject();
  CHECK(it.end() == 1);
}

TEST_CASE("each change is an event, and the end has the counters") {
  Running it;
  it.server.set_object(kVm, R"({"metadata":{}})");
  it.start_and_redirect();
  it.server.refuse_next(status_answer(500, "all slots (503)"));
  it.server.refuse_next(status_answer(401, "who?"));
  it.server.cut();
  CHECK(it.person.hears("default/demo again."));
  it.desk.unplug();
  CHECK(it.person.hears("is unplugged"));
  it.desk.plug();
  CHECK(it.person.hears("default/demo again.", 2));
  it.press_ctrl_c();
  CHECK(it.end() == 0);
  CHECK(it.person.happenings() ==
        " connecting/ redirecting/First waiting/ConnectionLost waiting/SlotsBusy waiting/AccessDenied redirecting/Again"
        " waiting/DeviceUnplugged redirecting/Again ended/Stopped");
  const auto events = it.person.events();
  CHECK(events.back().counters.sessions == 3);
  CHECK(events.back().exit_status == 0);
  CHECK(events.back().device.port == "1-2");
  CHECK(events.back().target.name == "demo");
}

TEST_CASE("an end is told once, also when Ctrl-C comes while nothing is held") {
  Running it;
  it.start_and_redirect();
  it.desk.unplug();
  CHECK(it.person.hears("is unplugged"));
  it.press_ctrl_c();
  CHECK(it.end() == 0);
  const auto all = it.person.happenings();
  CHECK(all.find("ended/Stopped") == all.rfind("ended/"));
  CHECK(all.ends_with("ended/Stopped"));
}

TEST_CASE("with --wait a first try that finds all slots taken waits for one, and goes on as others do") {
  auto options = quick();
  options.wait = 0ms;
  SUBCASE("without --once") {}
  SUBCASE("with --once, which is for the session") { options.once = true; }
  Running it(options);
  it.server.refuse_all(status_answer(500, "no slot: alice and bob have them (503)"));
  it.start();
  CHECK(it.person.hears("Can't access VMI demo: no slot: alice and bob have them (503): waiting for a free slot."));
  CHECK(it.server.wait_requests(3));
  it.server.kill();
  CHECK(it.person.hears("cannot connect to the API server"));
  it.server.start();
  it.server.refuse_all("");
  CHECK(it.person.hears("Redirecting"));
  CHECK(it.person.count("waiting for a free slot") == 1);
  it.press_ctrl_c();
  CHECK(it.end() == 0);
}

TEST_CASE("--wait has an end where it is given a time, and waits for slots alone") {
  auto options = quick();
  SUBCASE("the time is over") {
    options.wait = 50ms;
    Running it(options);
    it.server.refuse_all(status_answer(500, "Can't connect to websocket (503): websocket: bad handshake"));
    it.start();
    CHECK(it.end() == 1);
    CHECK(it.server.requests() >= 2);
    CHECK(it.person.happenings() == " connecting/ waiting/SlotsBusy ended/Refused");
    CHECK(it.person.hears("A VMI takes four devices at a time."));
  }
  SUBCASE("another refusal") {
    options.wait = 0ms;
    Running it(options);
    it.server.refuse_all(status_answer(403, "no right"));
    it.start();
    CHECK(it.end() == 1);
    CHECK(it.server.requests() == 1);
  }
  SUBCASE("Ctrl-C in the queue") {
    options.wait = 0ms;
    options.backoff = {1h, 1h};
    Running it(options);
    it.server.refuse_all(status_answer(500, "(503)"));
    it.start();
    CHECK(it.person.hears("waiting for a free slot"));
    it.press_ctrl_c();
    CHECK(it.left);
    CHECK(it.end() == 0);
  }
}

TEST_CASE("Ctrl-C ends it at once in every state, with nothing held") {
  auto options = quick();
  SUBCASE("while the device is redirected: in order") {
    Running it(options);
    it.start_and_redirect();
    it.press_ctrl_c();
    CHECK(it.end() == 0);
    CHECK_FALSE(it.left);
    CHECK(it.desk.disconnects() == 1);
    CHECK(it.person.hears("Stopped; the device is back."));
  }
  SUBCASE("while it pauses between two tries") {
    options.backoff = {1h, 1h};
    Running it(options);
    it.start_and_redirect();
    it.server.cut();
    CHECK(it.person.hears("reconnecting"));
    it.press_ctrl_c();
    CHECK(it.left);
    CHECK(it.end() == 0);
    CHECK_FALSE(it.desk.is_taken());
  }
  SUBCASE("while it waits for the device") {
    Running it(options);
    it.start_and_redirect();
    it.desk.unplug();
    CHECK(it.person.hears("unplugged"));
    it.press_ctrl_c();
    CHECK(it.left);
    CHECK(it.end() == 0);
  }
  SUBCASE("while the server drips its handshake") {
    Running it(options);
    it.start_and_redirect();
    it.server.drip(true);
    it.server.cut();
    CHECK(it.server.wait_requests(2));
    it.press_ctrl_c();
    CHECK(it.left);
    CHECK(it.end() == 0);
  }
  SUBCASE("while the server drips the VMI's state") {
    Running it(options);
    it.server.set_object(kVmi, vmi_in("Running"));
    it.start_and_redirect();
    it.server.refuse_all(status_answer(400, "VMI is not running"));
    it.server.drip(false);
    it.server.cut();
    CHECK(it.server.wait_requests(2));
    it.press_ctrl_c();
    CHECK(it.left);
    CHECK(it.end() == 0);
  }
}
