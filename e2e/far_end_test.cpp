// What the far end of a session can do to the client. The client notices every end, says so and turns it into an exit
// code, and no byte can hang or crash it. The harness plays the node behind the real API server.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/usbredir_bytes.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;

namespace {

struct Desk : FakeNodeScene {
  Desk() { node.add_running_vmi("demo"); }
  /// Read-only, so that several clients can hold the image at once; each for one session, which is what is tested here.
  Process start() {
    return start_client(
        dir, "client-" + std::to_string(++clients_),
        {"--once", "--kubeconfig", loop.kubeconfig(), "--emulate", stick() + ",id=0951:1666,ro", "demo"});
  }

 private:
  int clients_ = 0;
};

/// Reads the client's packets until one of `type` has come, and returns all of them.
std::vector<UsbredirPacket> packets_through(RawWebsocket& far, UsbredirType type, std::string& stream) {
  const Deadline deadline(10s);
  while (true) {
    auto packets = usbredir_packets(stream);
    const auto has_type = [type](const UsbredirPacket& packet) { return packet.type == type; };
    if (std::any_of(packets.begin(), packets.end(), has_type)) return packets;
    stream += far.receive_payload(1, deadline.left());
  }
}

/// A client whose device is announced to the far end.
struct Session {
  Process client;
  RawWebsocket far;
  std::string stream = {};

  explicit Session(Desk& desk) : client(desk.start()), far(desk.node.accept_websocket()) {
    far.send({.payload = qemu_hello(), .masked = false});
    packets_through(far, usbredir_device_connect, stream);
    client.wait_err("Redirecting 0951:1666", 10s);
  }
};

/// The client ends by itself, soon, with exit code 1 and a message that holds `what`.
void check_ends(Process& client, const std::string& what) {
  const ExitStatus status = client.wait_exit(5s);
  CHECK_MESSAGE(status.code == 1, status.text() << ": " << client.err());
  CHECK_MESSAGE(contains(client.err(), what), client.err());
}

}  // namespace

TEST_CASE("the client announces the device as usbredir asks and answers its descriptor") {
  Desk desk;
  Process client = desk.start();
  RawWebsocket far = desk.node.accept_websocket();
  std::string stream;
  // Hello in frames of one byte, with a ping and a text message in between: only the bytes count.
  bool first = true;
  for (const char byte : qemu_hello()) {
    far.send({.payload = std::string(1, byte), .masked = false});
    if (first) far.send({.opcode = 9, .payload = "are you there", .masked = false});
    if (first) far.send({.opcode = 1, .payload = "text means nothing here", .masked = false});
    first = false;
  }
  const auto packets = packets_through(far, usbredir_device_connect, stream);
  REQUIRE(packets.size() >= 4);
  CHECK(packets.front().type == usbredir_hello);
  CHECK(packets.back().type == usbredir_device_connect);
  const auto count = [&](UsbredirType type) {
    return std::count_if(packets.begin(), packets.end(), [type](const auto& packet) { return packet.type == type; });
  };
  CHECK(count(usbredir_interface_info) == 1);
  CHECK(count(usbredir_ep_info) == 1);
  // struct usb_redir_device_connect_header: speed, class, subclass, protocol, vendor, product, version.
  CHECK(packets.back().body.substr(4, 4) == "\x51\x09\x66\x16");
  client.wait_err("Redirecting 0951:1666", 10s);

  // The same request as one frame in three fragments.
  const std::string request = get_device_descriptor(7);
  far.send({.opcode = 2, .payload = request.substr(0, 5), .fin = false, .masked = false});
  far.send({.opcode = 0, .payload = request.substr(5, 15), .fin = false, .masked = false});
  far.send({.opcode = 0, .payload = request.substr(20), .masked = false});
  stream.clear();
  const std::size_t answer_size = 16 + 10 + 18;
  stream = far.receive_payload(answer_size, 10s);
  CHECK(stream.substr(0, 4) == std::string("\x64\0\0\0", 4));
  CHECK(stream.substr(8, 8) == std::string("\x07\0\0\0\0\0\0\0", 8));
  CHECK(stream.substr(16 + 10, 2) == "\x12\x01");
  CHECK(stream.substr(16 + 10 + 8, 4) == "\x51\x09\x66\x16");

  client.signal(SIGINT);
  CHECK(client.wait_exit(5s).code == 0);
}

TEST_CASE("a ping is answered with the same payload") {
  Desk desk;
  Session session(desk);
  session.far.send({.opcode = 9, .payload = "are you there", .masked = false});
  std::optional<Frame> frame;
  do {
    frame = session.far.receive(10s);
  } while (frame && frame->opcode != 10);
  REQUIRE(frame);
  CHECK(frame->payload == "are you there");
  CHECK(frame->masked);
}

TEST_CASE("Ctrl-C and SIGTERM end the client with 0, and the far end sees the end at once") {
  Desk desk;
  for (const int number : {SIGINT, SIGTERM}) {
    CAPTURE(number);
    Session session(desk);
    session.client.signal(number);
    const Stopwatch watch;
    static_cast<void>(session.far.receive_close(30s));
    CHECK(watch.elapsed() < 15s);  // a ping would need 30 s
    CHECK(session.client.wait_exit(15s).code == 0);
  }
}

TEST_CASE("Ctrl-C ends a client that still waits for the far end") {
  Desk desk;
  Process before = desk.start();
  FakeNode::Request request = desk.node.accept();
  before.signal(SIGINT);
  CHECK(before.wait_exit(5s).code == 0);

  Process silent = desk.start();
  RawWebsocket far = desk.node.accept_websocket();
  CHECK(far.receive(10s).has_value());  // the client's hello: the websocket is open
  silent.signal(SIGINT);
  CHECK(silent.wait_exit(5s).code == 0);
}

TEST_CASE("a Close frame decides the exit code, and its reason is told") {
  Desk desk;
  {
    Session session(desk);
    session.far.send({.opcode = 8, .payload = close_payload(1000), .masked = false});
    CHECK(session.client.wait_exit(5s).code == 0);
  }
  for (const auto code : std::array<std::uint16_t, 3>{1001, 1008, 1011}) {
    CAPTURE(code);
    Session session(desk);
    session.far.send({.opcode = 8, .payload = close_payload(code, "the reason of the far end"), .masked = false});
    check_ends(session.client, "the reason of the far end");
  }
  Session session(desk);
  session.far.send({.opcode = 8, .payload = "", .masked = false});
  check_ends(session.client, "1005");
}

TEST_CASE("a far end that goes without a Close frame is an error, in each state of the session") {
  Desk desk;
  {
    Session session(desk);
    dynamic_cast<PlainSocket&>(session.far.wire()).close();
    check_ends(session.client, "VMI");
  }
  {
    Process client = desk.start();
    dynamic_cast<PlainSocket&>(desk.node.accept_websocket().wire()).close();
    check_ends(client, "VMI");
  }
  {
    Process client = desk.start();
    desk.node.accept().socket->close();
    check_ends(client, "VMI");
  }
}

// A client whose session is lost asks the API server for two seconds whether the VMI is about to go. So the clients of
// the next two cases run side by side.

TEST_CASE("a hello cut at any byte is an error") {
  Desk desk;
  const std::string hello = qemu_hello();
  std::vector<Process> clients;
  for (std::size_t cut = 1; cut < hello.size(); cut += cut < 16 ? 1 : 9) {
    clients.push_back(desk.start());
    RawWebsocket far = desk.node.accept_websocket();
    far.send({.payload = hello.substr(0, cut), .masked = false});
    CHECK(far.receive(10s).has_value());
  }
  for (Process& client : clients) check_ends(client, "VMI default/demo ended");
}

TEST_CASE("a packet cut at any byte is an error") {
  Desk desk;
  const std::string packet = get_device_descriptor(1);
  std::vector<Process> clients;
  for (std::size_t cut = 1; cut < packet.size(); cut += 2) {
    Session session(desk);
    session.far.send({.payload = packet.substr(0, cut), .masked = false});
    clients.push_back(std::move(session.client));
  }
  for (Process& client : clients) check_ends(client, "VMI default/demo ended");
}

TEST_CASE("a far end that opens the websocket and never speaks usbredir is given up") {
  Desk desk;
  Process client = desk.start();
  const RawWebsocket far = desk.node.accept_websocket();
  const Stopwatch watch;
  CHECK(client.wait_exit(20s).code == 1);
  CHECK(watch.elapsed() > 5s);
  CHECK_MESSAGE(contains(client.err(), "does not answer"), client.err());
}

TEST_CASE("garbage instead of a hello is an error") {
  Desk desk;
  const std::string huge_hello = std::string("\0\0\0\0\0\0\0\x20\0\0\0\0", 12);  // 512 MiB
  for (const std::string& bytes :
       {random_bytes(4096, 5), std::string("HTTP/1.1 200 OK\r\n\r\n"), huge_hello,
        usbredir_packet(usbredir_device_connect, 0, std::string(10, '\0')), std::string(200, '\xff')}) {
    CAPTURE(bytes.size());
    Process client = desk.start();
    RawWebsocket far = desk.node.accept_websocket();
    far.send({.payload = bytes, .masked = false});
    check_ends(client, "");
  }
}

TEST_CASE("garbage after the hello is an error") {
  Desk desk;
  const std::string huge("\x65\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\0", 16);  // a bulk packet of 512 MiB
  for (const std::string& bytes : {random_bytes(65536, 6), qemu_hello(), usbredir_packet(4711, 1, "what is this"), huge,
                                   usbredir_packet(usbredir_control, 1, "short")}) {
    CAPTURE(bytes.size());
    Session session(desk);
    session.far.send({.payload = bytes, .masked = false});
    check_ends(session.client, "");
  }
}

TEST_CASE("a guest that rejects the device ends the client, with a word about it") {
  Desk desk;
  Session session(desk);
  session.far.send({.payload = usbredir_packet(usbredir_filter_reject, 0, ""), .masked = false});
  check_ends(session.client, "rejected the device");
}

TEST_CASE("frames that break the websocket protocol are answered with Close 1002 and end the client") {
  Desk desk;
  const std::vector<Frame> frames = {{.payload = "masked", .masked = true},
                                     {.payload = "reserved bit", .rsv = 4, .masked = false},
                                     {.opcode = 3, .payload = "unknown opcode", .masked = false},
                                     {.opcode = 11, .payload = "unknown control opcode", .masked = false},
                                     {.opcode = 9, .payload = std::string(126, 'p'), .masked = false},
                                     {.opcode = 9, .payload = "fragmented control", .fin = false, .masked = false},
                                     {.opcode = 0, .payload = "continues nothing", .masked = false},
                                     {.payload = "longer than any", .masked = false, .claimed_length = 1ULL << 63U},
                                     {.opcode = 8, .payload = "1", .masked = false},
                                     {.opcode = 8, .payload = close_payload(1006), .masked = false}};
  for (const Frame& frame : frames) {
    CAPTURE(frame.payload);
    Session session(desk);
    session.far.send(frame);
    const auto close = session.far.receive_close(5s);
    CHECK((close && close_code(*close) == 1002));
    check_ends(session.client, "");
  }
}

TEST_CASE("an answer that is not a good 101 is refused") {
  Desk desk;
  const auto attempt = [&](const std::string& answer) {
    CAPTURE(answer);
    Process client = desk.start();
    FakeNode::Request request = desk.node.accept();
    request.socket->send(answer);
    request.socket->close();
    check_ends(client, "Can't access VMI demo: ");
  };
  attempt("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  attempt("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  attempt(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: d3JvbmcgYW5zd2VyIGZvciBrZXk=\r\n\r\n");
  attempt("this is no HTTP at all\r\n\r\n");
  attempt("HTTP/1.1 101 Switching Protocols\r\nX-Long: " + std::string(100'000, 'x') + "\r\n\r\n");
}
