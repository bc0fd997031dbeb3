// The subresources beside usbredir, through the whole road, on real guests.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/test_text.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;
using usbloop::testing::contains;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

struct Desk {
  CaseDir dir;
  Loop loop{dir};
  Vmi vmi{loop, "demo"};

  ApiAnswer put(const std::string& subresource, const std::string& body = "{}") const {
    return loop.api().put(subresource_path("demo", subresource), body);
  }
  void must_put(const std::string& subresource) const {
    const ApiAnswer answer = put(subresource);
    CHECK_MESSAGE(answer.status == 200, answer.body);
    CHECK(answer.body.empty());
  }
  /// The condition Paused, or null.
  [[nodiscard]] json paused() const {
    const json object = vmi.object();
    for (const json& condition : object.at("status").at("conditions")) {
      if (condition.at("type") == "Paused") return condition;
    }
    return nullptr;
  }
  void wait_paused(bool paused_) const {
    wait_until(paused_ ? "the VMI to be paused" : "the VMI to go on", 20s,
               [&] { return paused().is_null() != paused_; });
  }
  /// What the guest has written to its console, from QEMU's log of it.
  [[nodiscard]] std::string serial_log() const {
    std::ifstream file(vmi.run_dir() / "serial.log", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void wait_boots(std::size_t times) const {
    wait_until("the guest to boot", 120s, [&] { return count(serial_log(), "usbloop-guest: ready") >= times; });
  }

  /// The answer to a request for a stream.
  struct Opened {
    std::string head;
    std::unique_ptr<Wire> wire;
    std::string rest;
    RawWebsocket websocket() { return RawWebsocket(std::move(wire), rest); }
  };
  [[nodiscard]] Opened open(const std::string& stream, const std::string& vmi_name = "demo") const {
    auto wire = std::make_unique<TlsSocket>(loop.api().host(), loop.api().port(), loop.api().ca_file());
    wire->send(upgrade_head(subresource_path(vmi_name, stream), loop.api().token()));
    const std::string answer = wire->receive_through("\r\n\r\n", 20s);
    const std::size_t end = answer.find("\r\n\r\n");
    return {answer.substr(0, end), std::move(wire), answer.substr(end + 4)};
  }
  [[nodiscard]] RawWebsocket must_open(const std::string& stream) const {
    Opened opened = open(stream);
    REQUIRE_MESSAGE(opened.head.starts_with("HTTP/1.1 101 "), opened.head);
    CHECK(contains(opened.head, "Sec-WebSocket-Protocol: plain.kubevirt.io"));
    return opened.websocket();
  }
  /// The message of the refusal.
  [[nodiscard]] std::string refusal(const std::string& stream, const std::string& vmi_name = "demo") const {
    Opened opened = open(stream, vmi_name);
    CHECK_FALSE(opened.head.starts_with("HTTP/1.1 101 "));
    while (!contains(opened.rest, "\n}") && opened.wire->receive(opened.rest, 10s)) {
    }
    return json::parse(opened.rest).at("message");
  }
};

/// Collects what comes until `text` is in it.
std::string receive_until(RawWebsocket& websocket, const std::string& text, milliseconds timeout = 30s) {
  const Deadline deadline(timeout);
  std::string all;
  while (!contains(all, text)) {
    const auto frame = websocket.receive(deadline.left());
    REQUIRE_MESSAGE(frame, "the stream ended after: " << all);
    if (frame->opcode <= 2) all += frame->payload;  // control frames are no text
  }
  return all;
}

/// Whether the other end closes the stream.
bool ends(RawWebsocket& websocket) {
  const Deadline deadline(10s);
  while (const auto frame = websocket.receive(deadline.left())) {
    if (frame->opcode == 8) return true;
  }
  return true;
}

}  // namespace

TEST_CASE("the console goes in and out through the API server, a newer one takes over, and VNC speaks RFB") {
  Desk desk;
  desk.vmi.wait_phase("Running", 60s);
  desk.wait_boots(1);
  RawWebsocket first = desk.must_open("console");
  first.send({.payload = "echo first $((6*7))\n"});
  receive_until(first, "first 42");
  // Masked, in fragments, as virtctl sends a paste.
  first.send({.payload = "echo in two", .fin = false});
  first.send({.opcode = 0, .payload = " $((40+2)) halves\n"});
  receive_until(first, "in two 42 halves");

  RawWebsocket second = desk.must_open("console");
  CHECK(ends(first));
  second.send({.payload = "echo second $((6*7))\n"});
  receive_until(second, "second 42");

  RawWebsocket screen = desk.must_open("vnc?preserveSession=false");
  CHECK(screen.receive_payload(12, 10s) == "RFB 003.008\n");
  screen.send({.payload = "RFB 003.008\n"});
  CHECK(screen.receive_payload(2, 10s).substr(0, 2) == std::string("\x01\x01", 2));  // one security type: none
  CHECK(desk.refusal("vnc?preserveSession=true") ==
        "Internal error occurred: Can't connect to websocket (503): websocket: bad handshake: application info: Active "
        "VNC connection. Request denied.");
  RawWebsocket newer = desk.must_open("vnc");
  CHECK(newer.receive_payload(12, 10s) == "RFB 003.008\n");
  CHECK(ends(screen));

  CHECK(desk.loop.api()
            .create(vmis_path(),
                    {{"apiVersion", "kubevirt.io/v1"},
                     {"kind", "VirtualMachineInstance"},
                     {"metadata", {{"name", "bare"}}},
                     {"spec",
                      {{"domain",
                        {{"devices", {{"autoattachSerialConsole", false}, {"autoattachGraphicsDevice", false}}}}}}}})
            .status == 201);
  CHECK(desk.refusal("console", "bare") == "No serial consoles are present.");
  CHECK(desk.refusal("vnc", "bare") == "No graphics devices are present.");
  CHECK(desk.refusal("portforward/22/tcp") == "no network interfaces are present");
  // The deletion ends the sessions.
  desk.vmi.remove();
  CHECK(ends(second));
  CHECK(ends(newer));
}

TEST_CASE("a paused guest stands still, says so as long as it does, and a launcher that comes later knows it") {
  Desk desk;
  GuestConsole& guest = desk.vmi.boot();
  guest.start("i=0; while [ ! -e /tmp/enough ]; do echo tick $((i=i+1)); usleep 20000; done");
  guest.wait_for_line("tick 3", 20s);
  desk.must_put("pause");
  const std::size_t mark = guest.mark();  // QEMU may still hand out what the guest wrote before
  desk.wait_paused(true);
  const json condition = desk.paused();
  CHECK(condition.at("status") == "True");
  CHECK(condition.at("reason") == "PausedByUser");
  CHECK(condition.at("message") == "VMI was paused by user");
  const std::size_t quiet = count(guest.text().substr(mark), "tick");
  CHECK_THROWS(guest.wait_for_line("tick", 500ms, guest.mark()));
  CHECK(quiet <= 3);
  CHECK(desk.put("pause").status == 409);

  desk.loop.launcher().kill_hard();
  desk.loop.start_launcher();
  wait_until("the node to have its guest again", 20s, [&] { return desk.put("reset", "").status == 200; });
  CHECK_FALSE(desk.paused().is_null());
  CHECK(desk.vmi.object().at("status").at("phase") == "Running");
  desk.must_put("unpause");
  desk.wait_paused(false);
  CHECK(desk.put("unpause").status == 409);
  // The reset above has started the guest anew.
  desk.wait_boots(2);
}

TEST_CASE("a soft reboot and a reset boot the guest again, in the same QEMU, and the VMI keeps running") {
  Desk desk;
  desk.vmi.wait_phase("Running", 60s);
  desk.wait_boots(1);
  const pid_t qemu = desk.vmi.qemu_pid();
  desk.must_put("softreboot");
  desk.wait_boots(2);
  desk.must_put("reset");
  desk.wait_boots(3);
  CHECK(desk.vmi.qemu_pid() == qemu);
  CHECK(desk.vmi.object().at("status").at("phase") == "Running");
  CHECK(contains(desk.loop.api().get("/api/v1/namespaces/default/events").body, "SoftRebooted"));
  const ApiAnswer frozen = desk.put("freeze");
  CHECK(frozen.status == 500);
  CHECK(contains(frozen.body, "QEMU guest agent is not connected"));
  const ApiAnswer agent = desk.loop.api().get(subresource_path("demo", "guestosinfo"));
  CHECK(agent.status == 500);
  CHECK(contains(agent.body, "VMI does not have guest agent connected"));
  // A guest that powers itself off has ended, as before.
  desk.vmi.boot().start("poweroff -f");
  desk.vmi.wait_phase("Succeeded", 30s);
}
