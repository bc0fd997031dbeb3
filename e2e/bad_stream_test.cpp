// Strangers at a slot of a real guest. Whatever they send, they lose their own session and the slot is free again.
// Somebody else's session in the same guest carries right data all the time.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/guest_console.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/usbredir_bytes.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

/// A guest with one healthy stick on its first slot.
struct Guest {
  CaseDir dir;
  Loop loop{dir};
  Vmi vmi{loop, "demo"};
  GuestConsole& guest = vmi.boot();
  fs::path image = dir.path() / "stick.img";
  std::string sha = make_random_image(image, 4 * kMiB, 1);
  Client healthy{dir, "healthy", loop, {.image = image}, "demo"};
  std::string disk = wait_disk(guest, "1-1");
  std::size_t fds_apiserver = open_fds(loop.apiserver().pid());
  std::size_t fds_launcher = open_fds(loop.launcher().pid());
  pid_t qemu = vmi.qemu_pid();

  /// A websocket to the next free slot. Asks again for a moment while QEMU has not yet taken in the end of the slot's
  /// last session (its listening queue holds one connection). A busy machine explains no other refusal.
  RawWebsocket open() {
    const Deadline deadline(5s);
    while (true) {
      auto wire = std::make_unique<TlsSocket>(loop.api().host(), loop.api().port(), loop.api().ca_file());
      wire->send(upgrade_head(usbredir_path("demo"), loop.api().token()));
      const std::string answer = wire->receive_through("\r\n\r\n", 10s);
      if (answer.starts_with("HTTP/1.1 101 ")) {
        return RawWebsocket(std::move(wire), answer.substr(answer.find("\r\n\r\n") + 4));
      }
      std::string all = answer;
      while (all.find("\n}") == std::string::npos && wire->receive(all, 5s)) {
      }
      const bool busy = all.find("Resource temporarily unavailable") != std::string::npos;
      REQUIRE_MESSAGE((busy && !deadline.passed()), all);
    }
  }

  /// All is as it was: the daemons, QEMU, the healthy session and its data, and the three other slots.
  void check_unharmed() {
    CHECK(loop.apiserver().running());
    CHECK(loop.launcher().running());
    CHECK(vmi.qemu_pid() == qemu);
    CHECK(::kill(qemu, 0) == 0);
    CHECK(healthy.process().running());
    guest.must_run("echo 3 > /proc/sys/vm/drop_caches");
    CHECK(guest_sha256(guest, disk, 4 * kMiB) == sha);
    CHECK(holds_within(5s, [&] { return open_fds(loop.apiserver().pid()) <= fds_apiserver; }));
    CHECK(holds_within(5s, [&] { return open_fds(loop.launcher().pid()) <= fds_launcher; }));
    {
      std::vector<RawWebsocket> others;
      for (int i = 0; i < 3; ++i) others.push_back(open());
      for (auto& other : others) CHECK(other.receive_payload(80, 10s).size() >= 80);  // QEMU's hello: really served
    }
    const fs::path next = dir.path() / "next.img";
    const std::string next_sha = make_random_image(next, kMiB, 2);
    // Its slot is freed in a moment; the client may ask too early.
    CHECK(holds_within(5s, [&] { return open_fds(loop.launcher().pid()) <= fds_launcher; }));
    Client client(dir, "next", loop, {.image = next, .id = "0781:5567"}, "demo");
    CHECK(guest_sha256(guest, wait_disk(guest, "1-2"), kMiB) == next_sha);
    client.stop();
  }
};

}  // namespace

TEST_CASE("frames that break the websocket protocol are answered with Close 1002, as the real server does") {
  Guest guest;
  const std::vector<Frame> frames = {{.payload = "unmasked", .masked = false},
                                     {.payload = "reserved bit", .rsv = 4},
                                     {.opcode = 3, .payload = "unknown opcode"},
                                     {.opcode = 11, .payload = "unknown control opcode"},
                                     {.opcode = 9, .payload = std::string(126, 'p')},
                                     {.opcode = 9, .payload = "fragmented control", .fin = false},
                                     {.opcode = 0, .payload = "continues nothing"},
                                     {.payload = "longer than any", .claimed_length = 1ULL << 63U},
                                     {.opcode = 8, .payload = "1"},
                                     {.opcode = 8, .payload = close_payload(1006)}};
  for (const Frame& frame : frames) {
    CAPTURE(frame.payload);
    RawWebsocket websocket = guest.open();
    websocket.send(frame);
    const auto close = websocket.receive_close(5s);
    CHECK((close && close_code(*close) == 1002));
    CHECK_NOTHROW(websocket.wire().receive_to_end(5s));
  }
  guest.check_unharmed();
}

TEST_CASE("a clean Close is echoed, a frame that is cut, and a stream that ends without one, only free the slot") {
  Guest guest;
  for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1000, 1001, 3000}) {
    RawWebsocket websocket = guest.open();
    websocket.send({.opcode = 8, .payload = close_payload(code, "bye")});
    const auto close = websocket.receive_close(5s);
    CHECK((close && close_code(*close) == code));
    CHECK_NOTHROW(websocket.wire().receive_to_end(5s));
  }
  const std::string frame = encode({.payload = std::string(300, 'x')});
  for (const auto cut : std::initializer_list<std::size_t>{1, 2, 3, 4, 7, 8, 9, 200}) {
    CAPTURE(cut);
    guest.open().wire().send(frame.substr(0, cut));
  }
  { guest.open(); }
  guest.check_unharmed();
}

TEST_CASE("a usbredir stream that is garbage, or cut at any byte, harms only its own slot") {
  Guest guest;
  const std::string device_connect = usbredir_packet(usbredir_device_connect, 0, std::string(10, '\x01'));
  const std::string good = qemu_hello();  // any side's hello has this shape
  // More than QEMU takes in one read: a QEMU that sees a bad packet with bytes behind it ends.
  const std::string behind = random_bytes(1 << 20, 9);
  const std::vector<std::string> streams = {
      behind,
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      device_connect + behind,                                         // before any hello
      good + good + behind,                                            // two hellos
      good + usbredir_packet(4711, 0, "what is this") + behind,        // unknown type
      good + std::string("\x65\0\0\0\0\0\0\x12\0\0\0\0\0\0\0\0", 16),  // a bulk packet of 300 MB
      good + usbredir_packet(usbredir_control, 1, "short") + behind};
  for (const std::string& stream : streams) {
    CAPTURE(stream.substr(0, 16));
    RawWebsocket websocket = guest.open();
    static_cast<void>(websocket.send({.payload = stream}));
    const auto close = websocket.receive_close(5s);
    CHECK((close && close_code(*close) == 1008));
  }
  // Well-formed, and still nothing that QEMU can use.
  for (const std::string& stream : {good + device_connect, good + bulk_answer("nobody asked")}) {
    RawWebsocket websocket = guest.open();
    CHECK(websocket.receive_payload(80, 10s).size() >= 80);
    CHECK(websocket.send({.payload = stream}));
  }
  const std::string cut_here = good + device_connect;
  for (std::size_t cut = 1; cut < cut_here.size(); cut += 7) {
    CAPTURE(cut);
    RawWebsocket websocket = guest.open();
    CHECK(websocket.send({.payload = cut_here.substr(0, cut)}));
  }
  guest.check_unharmed();
}

TEST_CASE("garbage on the node's channel is refused there") {
  Guest guest;
  const fs::path channel = guest.loop.run_dir("node-a") / "channel.sock";
  for (const std::string& bytes :
       {random_bytes(5'000, 3) + "\r\n\r\n", std::string("GET\r\n\r\n"), std::string("\r\n\r\n"),
        "GET / HTTP/1.1\r\nX-Long: " + std::string(1 << 20, 'x'), std::string("GET /v1/namespaces/default/")}) {
    CAPTURE(bytes.size());
    PlainSocket socket(connect_unix(channel));
    socket.send(bytes);
    ::shutdown(socket.fd(), SHUT_WR);
    std::string answer;
    CHECK_NOTHROW(answer = socket.receive_to_end(15s));
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 4")));
  }
  PlainSocket unknown(connect_unix(channel));
  unknown.send(upgrade_head("/v1/namespaces/default/virtualmachineinstances/ghost/usbredir", ""));
  const std::string answer = unknown.receive_through("exist", 10s);
  CHECK(answer.starts_with("HTTP/1.1 404 "));
  CHECK(answer.find("VMI default/ghost does not exist") != std::string::npos);
  guest.check_unharmed();
}
