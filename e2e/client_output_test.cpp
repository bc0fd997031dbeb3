// What the client tells programs and terminals while a device is redirected. The harness plays the node.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/usbredir_bytes.h"

using namespace usbloop::e2e;
using nlohmann::json;
using usbloop::testing::contains;

namespace {

struct Desk : FakeNodeScene {
  Desk() { node.add_running_vmi("demo"); }
  [[nodiscard]] std::string spec() const { return stick() + ",serial=AB"; }

  /// The client at a terminal of 100 columns, for one session, with more arguments or a shell's words around it.
  [[nodiscard]] Process at_terminal(const std::string& name, const std::string& before, const std::string& more) const {
    const std::string command = "stty cols 100 rows 24; " + before + kubectl_usbredir().string() +
                                " --once --kubeconfig " + loop.kubeconfig().string() + " --emulate " + spec() +
                                " demo " + more;
    return Process({.name = name,
                    .argv = {"script", "-qec", command, "/dev/null"},
                    .log_dir = dir.path(),
                    .env = {{"HOME", dir.subdir("home").string()}, {"KUBECONFIG", ""}, {"TERM", "xterm"}}});
  }
};

std::vector<json> events_in(const std::string& out) {
  std::vector<json> events;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  return events;
}

}  // namespace

TEST_CASE("with -o json each change is a line on standard output, and the end counts what was carried") {
  Desk desk;
  Process client = start_client(
      desk.dir, "client", {"-o", "json", "--kubeconfig", desk.loop.kubeconfig(), "--emulate", desk.spec(), "demo"});
  RawWebsocket far = desk.node.accept_websocket();
  far.send({.payload = qemu_hello(), .masked = false});
  client.wait_out(R"("event":"redirecting","reason":"First")", 10s);
  far.send({.payload = get_device_descriptor(7), .masked = false});
  std::string stream;
  while (stream.find(std::string("\x12\x01", 2)) == std::string::npos) stream += far.receive_payload(1, 10s);
  client.signal(SIGINT);
  CHECK(client.wait_exit(5s).code == 0);

  const auto events = events_in(client.out());
  REQUIRE(events.size() == 3);
  CHECK(events[0]["event"] == "connecting");
  CHECK(events[0]["vmi"] == json({{"namespace", "default"}, {"name", "demo"}}));
  CHECK(events[0]["device"]["serial"] == "AB");
  CHECK(events[0]["device"]["emulated"] == true);
  CHECK(events[1]["device"]["id"] == "0951:1666");
  CHECK(events[2]["event"] == "ended");
  CHECK(events[2]["reason"] == "Stopped");
  CHECK(events[2]["exitStatus"] == 0);
  CHECK(events[2]["counters"]["transfers"] == 1);
  CHECK(events[2]["counters"]["bytesToGuest"] == 18);
  CHECK(events[2]["counters"]["errors"] == 0);
  CHECK(client.err().empty());
}

TEST_CASE("at a terminal a row stands below the lines while the device is redirected, and goes at the end") {
  Desk desk;
  struct Case {
    std::string name;
    std::string before;
    std::string more;
    bool has_row;
  };
  for (const auto& [name, before, more, has_row] : {Case{"rows", "", "", true},
                                                    {"no-status", "", "--no-status", false},
                                                    {"piped", "", "| cat", false},
                                                    {"in-background", "set -m; ", "& wait $!", false}}) {
    CAPTURE(name);
    Process client = desk.at_terminal(name, before, more);
    RawWebsocket far = desk.node.accept_websocket();
    far.send({.payload = qemu_hello(), .masked = false});
    client.wait_out(has_row ? "emulated 0951:1666.*  redirected  to VM 0.0 MB/s" : "Redirecting 0951:1666", 10s);
    far.send({.opcode = 8, .payload = close_payload(1000), .masked = false});
    CHECK(client.wait_exit(5s).code == 0);
    const std::string out = client.out();
    CHECK_MESSAGE(contains(out, "The server closed the redirection in good order."), out);
    CHECK(contains(out, "\x1b") == has_row);
    if (!has_row) continue;
    // The last of all that steers the terminal takes the row away, and no row comes behind it.
    CHECK(out.rfind("\x1b[1A\x1b[J") > out.rfind("MB/s"));
  }
}
