// A program at one end of a busy session is stopped without a word. The other end notices, and says for how long
// nothing came. The harness cannot cut the link itself here: common/websocket/peer_loss_test.cpp does.
#include <doctest/doctest.h>

#include <csignal>
#include <regex>

#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/slot_node.h"
#include "e2e/harness/usbredir_bytes.h"

using namespace usbloop::e2e;

namespace {

/// A real client with an emulated stick, and the case in QEMU's place.
struct Road {
  CaseDir dir;
  Loop loop;
  SlotNode node;
  std::unique_ptr<Process> client;
  std::unique_ptr<PlainSocket> qemu;

  Road(Way way, const std::vector<std::string>& server_options)
      : loop(dir, {.nodes = {}, .apiserver_options = server_options}), node(loop, way) {
    const std::string image = (dir.path() / "stick.img").string();
    make_random_image(image, 1 << 20, 1);
    client = std::make_unique<Process>(start_client(
        dir, "client",
        {"--once", "--kubeconfig", loop.kubeconfig(), "--emulate", "stick,image=" + image + ",ro", "demo"}));
    qemu = node.accept(0);
    qemu->send(qemu_hello());
    client->wait_err("Redirecting", 20s);
  }

  /// Asks the device without end, until `wanted` says no or the connection has ended; false: it has.
  template <typename Wanted>
  bool keep_busy(Wanted wanted) {
    std::string answers;
    for (std::uint32_t id = 1; wanted(); ++id) {
      if (!qemu->send(get_device_descriptor(id), 100ms, nullptr)) return false;
      answers.clear();
      try {
        if (!qemu->receive(answers, 20ms)) return false;
      } catch (const Failure&) {
        continue;  // nothing yet, or nothing any more: the next request goes out all the same
      }
    }
    return true;
  }
};

}  // namespace

TEST_CASE("a client that is stopped while its guest talks to it is given up after the timeout, and its slot is free") {
  for (const Way way : {Way::handoff, Way::plain}) {
    CAPTURE(name_of(way));
    Road road(way, {"--ping-interval", "1", "--peer-timeout", "2"});
    const Stopwatch busy;
    CHECK(road.keep_busy([&] { return busy.elapsed() < 3s; }));
    road.client->signal(SIGSTOP);
    const Stopwatch stopped;
    CHECK_FALSE(road.keep_busy([&] { return stopped.elapsed() < 15s; }));
    Process& end = way == Way::handoff ? road.loop.apiserver() : road.node.process();
    CHECK_NOTHROW(end.wait_err("ended \\(1006: nothing heard from the peer for [2-9]", 10s));
    CHECK(holds_within(10s, [&] { return road.node.ask().find(" 101 ") != std::string::npos; }));
  }
}

TEST_CASE("a client whose far end is stopped while it is busy ends after 30 seconds and says so") {
  Road road(Way::handoff, {});
  const Stopwatch busy;
  CHECK(road.keep_busy([&] { return busy.elapsed() < 1s; }));
  road.loop.apiserver().signal(SIGSTOP);
  const Stopwatch stopped;
  const ExitStatus status = road.client->wait_exit(60s);
  CHECK(status.code == 1);
  CHECK(stopped.elapsed() > 25s);
  CHECK_MESSAGE(std::regex_search(road.client->err(), std::regex("nothing heard from the peer for 3[0-9] s")),
                road.client->err());
  road.loop.apiserver().signal(SIGCONT);
}
