#include "launcher-sim/channel_server.h"

#include <doctest/doctest.h>

#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>

#include "bridge/handoff.h"
#include "common/net/descriptor_passing.h"
#include "common/net/test_support.h"
#include "common/websocket/handshake.h"
#include "launcher-sim/channel_request.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;
using net::test::run;

namespace {

using Local = asio::local::stream_protocol;

std::string upgrade(const std::string& target) {
  return websocket::upgrade_request(target, "node", "dGhlIHNhbXBsZSBub25jZQ==", "", "test");
}

const std::string kUsb = "/v1/namespaces/default/virtualmachineinstances/demo/usbredir";
const std::string kConsole = "/v1/namespaces/default/virtualmachineinstances/demo/console";

/// A channel server with one guest, whose sockets the test serves in QEMU's place.
struct Node {
  test::TestDirectory directory;
  asio::io_context loop;
  GuestRegistry guests;
  std::unique_ptr<ChannelServer> server;

  explicit Node(websocket::ChannelOptions options = {}, bool handoff = true) {
    server = std::make_unique<ChannelServer>(loop, guests, ChannelServerOptions{options, handoff});
    REQUIRE(server->listen(path()));
    guests.put("default", "demo", {"uid-1", directory.path()});
  }
  [[nodiscard]] std::string path() const { return directory / "channel.sock"; }

  /// What QEMU listens on.
  Local::acceptor listen(const std::string& name) {
    return {loop, Local::endpoint((directory.path() / name).string())};
  }
  net::StreamPtr connect() {
    auto stream = net::connect_unix(loop.get_executor(), path());
    REQUIRE(stream);
    return std::move(*stream);
  }
};

asio::awaitable<std::string> read_until(net::Stream& stream, std::string end) {
  std::string text;
  std::vector<std::byte> buffer(4096);
  while (end.empty() || text.find(end) == std::string::npos) {
    const auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) break;
    text.append(reinterpret_cast<const char*>(buffer.data()), *got);
  }
  co_return text;
}

asio::awaitable<bool> send(net::Stream& stream, std::string text) {
  const auto bytes = std::as_bytes(std::span(text));
  const auto sent = co_await stream.write_all(bytes);
  co_return sent.has_value();
}

/// The whole answer to one request.
asio::awaitable<std::string> exchange(net::StreamPtr stream, std::string request) {
  co_await send(*stream, request);
  const std::string none;
  std::string answer = co_await read_until(*stream, none);
  co_return answer;
}

std::string ask(Node& node, const std::string& request) { return run(node.loop, exchange(node.connect(), request)); }

asio::awaitable<net::StreamPtr> accept(Local::acceptor& qemu) {
  Local::socket socket = co_await qemu.async_accept(asio::use_awaitable);
  co_return net::make_plain_stream(net::Stream::Socket(std::move(socket)));
}

/// An open session: the client's websocket and QEMU's end of it.
struct Session {
  std::unique_ptr<websocket::Channel> client;
  net::StreamPtr device;
};

asio::awaitable<std::unique_ptr<websocket::Channel>> open(net::StreamPtr stream, std::string target) {
  const std::string request = upgrade(target);
  co_await send(*stream, request);
  const std::string end = "\r\n\r\n";
  const std::string answer = co_await read_until(*stream, end);
  if (!answer.starts_with("HTTP/1.1 101 ")) co_return nullptr;
  co_return std::make_unique<websocket::Channel>(std::move(stream), websocket::Role::client,
                                                 websocket::ChannelOptions{});
}

Session begin(Node& node, Local::acceptor& qemu, const std::string& target = kUsb) {
  Session session;
  session.client = run(node.loop, open(node.connect(), target));
  REQUIRE(session.client);
  session.device = run(node.loop, accept(qemu));
  return session;
}

asio::awaitable<std::string> read_bytes(websocket::Channel& channel, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    const auto got = co_await channel.read();
    if (!got || got->empty()) break;
    text.append(reinterpret_cast<const char*>(got->data()), got->size());
  }
  co_return text;
}

asio::awaitable<bool> write_bytes(websocket::Channel& channel, std::string text) {
  const auto room = channel.write_buffer();
  const auto bytes = std::as_bytes(std::span(text));
  std::copy(bytes.begin(), bytes.end(), room.begin());
  const auto sent = co_await channel.write(bytes.size());
  co_return sent.has_value();
}

}  // namespace

TEST_CASE("what the node channel refuses, it refuses in virt-handler's words") {
  Node node;
  CHECK(ask(node, upgrade("/v1/namespaces/default/virtualmachineinstances/ghost/usbredir")) ==
        plain_response(404, "VMI default/ghost does not exist"));
  CHECK(ask(node, upgrade("/v2/anything")).starts_with("HTTP/1.1 404 "));
  CHECK(ask(node, "GET " + kUsb + " HTTP/1.1\r\nHost: node\r\n\r\n").find("400 Bad Request\r\n") != std::string::npos);
  CHECK(ask(node, "GET " + kUsb + " HTTP/1.1\r\nHost: node\r\n\r\n").find("'upgrade' token not found") !=
        std::string::npos);
  // No clientPassthrough, or no guest yet: there is no socket.
  const std::string missing = ask(node, upgrade(kUsb));
  CHECK(missing.starts_with("HTTP/1.1 400 "));
  CHECK(missing.ends_with("stat " + (node.directory / "virt-usbredir-0") + ": no such file or directory"));
}

TEST_CASE("garbage in place of a request ends that connection only") {
  Node node;
  for (const std::string text : {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n"}) {
    CAPTURE(text);
    CHECK(ask(node, text).starts_with("HTTP/1.1 400 "));
  }
  // What two readers could read in two ways, and what is no request of HTTP/1.1 that a node has an answer to.
  for (const std::string text : {" HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " HTTP/1.1\nHost: a\r\n\r\n",
                                 " HTTP/1.1\r\nHost : a\r\n\r\n", " HTTP/1.1\r\n\r\n"}) {
    CAPTURE(text);
    CHECK(ask(node, "GET " + kUsb + text).starts_with("HTTP/1.1 400 Bad Request\r\n"));
  }
  CHECK(ask(node, "TRACE " + kUsb + " HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 501 Not Implemented\r\n"));
  CHECK(ask(node, "GET " + kUsb + " HTTP/2.0\r\nHost: a\r\n\r\n")
            .starts_with("HTTP/1.1 505 HTTP Version Not Supported\r\n"));
  const std::string long_head = "GET " + kUsb + " HTTP/1.1\r\nX-Long: " + std::string(100'000, 'x');
  CHECK(ask(node, long_head).find("the head is too long") != std::string::npos);
  CHECK(
      ask(node, upgrade("/v1/namespaces/default/virtualmachineinstances/ghost/usbredir")).starts_with("HTTP/1.1 404"));
}

namespace {

std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((value >> shift) & 0xff);
  return bytes;
}

/// A usbredir hello without capabilities.
std::string usbredir_hello() {
  std::string version = "to the device";
  version.resize(64, '\0');
  return little_endian(0) + little_endian(64) + little_endian(0) + version;
}

/// 64 KiB: a bulk packet with data, behind such a hello.
std::string usbredir_bulk_packet() {
  constexpr std::uint16_t kLength = 65536 - 12 - 8;
  std::string type_header = "\x81";
  type_header += '\0';
  type_header += std::string({static_cast<char>(kLength & 0xff), static_cast<char>(kLength >> 8)});
  type_header += std::string(4, '\0');  // stream id
  return little_endian(101) + little_endian(8 + kLength) + little_endian(1) + type_header + std::string(kLength, 'x');
}

}  // namespace

TEST_CASE("bytes go both ways, those sent together with the request included") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  Session session = begin(node, qemu);
  CHECK(run(node.loop, write_bytes(*session.client, usbredir_hello())));
  CHECK(run(node.loop, read_until(*session.device, "device")) == usbredir_hello());
  CHECK(run(node.loop, send(*session.device, "to the client")));
  CHECK(run(node.loop, read_bytes(*session.client, 13)) == "to the client");
}

TEST_CASE("when the device's side ends, the client gets its last bytes and the end without a Close frame") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  Session session = begin(node, qemu);
  CHECK(run(node.loop, send(*session.device, "last words")));
  session.device->close();
  CHECK(run(node.loop, read_bytes(*session.client, 1000)) == "last words");
  CHECK(session.client->close_info().code == 1006);
}

TEST_CASE("when the client ends, in order or not, the device's side ends") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  for (const bool in_order : {true, false}) {
    CAPTURE(in_order);
    Session session = begin(node, qemu);
    if (in_order) {
      const auto close = [&]() -> asio::awaitable<bool> {
        const std::string reason = "done";
        const auto closed = co_await session.client->close(1000, reason);
        co_return closed.has_value();
      };
      CHECK(run(node.loop, close()));
    } else {
      session.client->abort();
    }
    CHECK(run(node.loop, read_until(*session.device, "")).empty());
  }
}

TEST_CASE("frames that break the protocol end their session and its slot is free at once") {
  Node node;
  auto first = node.listen("virt-usbredir-0");
  auto second = node.listen("virt-usbredir-1");
  Session other = begin(node, first);
  auto raw = node.connect();
  CHECK(run(node.loop, send(*raw, upgrade(kUsb))));
  CHECK(run(node.loop, read_until(*raw, "\r\n\r\n")).starts_with("HTTP/1.1 101 "));
  auto device = run(node.loop, accept(second));
  CHECK(run(node.loop, send(*raw, std::string("\xff\xff garbage", 10))));
  CHECK(run(node.loop, read_until(*device, "")).empty());
  raw.reset();
  Session again = begin(node, second);
  CHECK(run(node.loop, write_bytes(*other.client, "alive")));
  CHECK(run(node.loop, read_until(*other.device, "alive")) == "alive");
}

TEST_CASE("four sessions, the fifth is refused with an empty 503, and the lowest free slot is next") {
  Node node;
  std::vector<Local::acceptor> qemu;
  std::vector<Session> sessions;
  for (int slot = 0; slot < kUsbSlots; ++slot) qemu.push_back(node.listen(usb_socket_name(slot)));
  for (auto& socket : qemu) sessions.push_back(begin(node, socket));
  CHECK(ask(node, upgrade(kUsb)) ==
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  sessions[1].client->abort();
  CHECK(run(node.loop, read_until(*sessions[1].device, "")).empty());
  sessions[1] = begin(node, qemu[1]);
  CHECK(ask(node, upgrade(kUsb)).starts_with("HTTP/1.1 503 "));
}

TEST_CASE("a newer console takes over from an older one") {
  Node node;
  auto qemu = node.listen(kSerialSocket);
  Session older = begin(node, qemu, kConsole);
  Session newer = begin(node, qemu, kConsole);
  CHECK(run(node.loop, read_until(*older.device, "")).empty());
  CHECK(run(node.loop, read_bytes(*older.client, 1)).empty());
  CHECK(run(node.loop, send(*newer.device, "login:")));
  CHECK(run(node.loop, read_bytes(*newer.client, 6)) == "login:");
}

TEST_CASE("the end of a guest ends its sessions and no others") {
  Node node;
  const test::TestDirectory other_directory;
  node.guests.put("default", "other", {"uid-2", other_directory.path()});
  auto qemu = node.listen("virt-usbredir-0");
  Local::acceptor other_qemu(node.loop, Local::endpoint(other_directory / "virt-usbredir-0"));
  Session session = begin(node, qemu);
  Session other = begin(node, other_qemu, "/v1/namespaces/default/virtualmachineinstances/other/usbredir");
  CHECK(node.guests.drop("uid-1"));
  CHECK_FALSE(node.guests.drop("uid-1"));
  node.server->end_sessions("uid-1");
  CHECK(run(node.loop, read_bytes(*session.client, 1)).empty());
  CHECK(run(node.loop, send(*other.device, "alive")));
  CHECK(run(node.loop, read_bytes(*other.client, 5)) == "alive");
  CHECK(ask(node, upgrade(kUsb)).starts_with("HTTP/1.1 404 "));
  node.server->stop();
  CHECK(run(node.loop, read_bytes(*other.client, 1)).empty());
  CHECK_FALSE(net::connect_unix(node.loop.get_executor(), node.path()));
}

TEST_CASE("a client that says nothing for the peer timeout is gone, and its slot is free") {
  Node node({.ping_interval = 20ms, .peer_timeout = 60ms});
  auto qemu = node.listen("virt-usbredir-0");
  auto mute = node.connect();
  CHECK(run(node.loop, send(*mute, upgrade(kUsb))));
  CHECK(run(node.loop, read_until(*mute, "\r\n\r\n")).starts_with("HTTP/1.1 101 "));
  auto device = run(node.loop, accept(qemu));
  CHECK(run(node.loop, read_until(*device, "")).empty());
  const Session next = begin(node, qemu);
  CHECK(next.client);
}

TEST_CASE("a stream that is no usbredir never reaches the device, and its client is told with 1008") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  Session session = begin(node, qemu);
  CHECK(run(node.loop, write_bytes(*session.client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  CHECK(run(node.loop, read_until(*session.device, "HTTP")).empty());
  CHECK(run(node.loop, read_bytes(*session.client, 1)).empty());
  CHECK(session.client->close_info().code == 1008);
}

TEST_CASE("a guest that does not read stops its client, not the memory") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  Session session = begin(node, qemu);
  REQUIRE(run(node.loop, write_bytes(*session.client, usbredir_hello())));
  REQUIRE(run(node.loop, read_until(*session.device, "device")) == usbredir_hello());
  std::size_t sent = 0;
  const auto flood = [&]() -> asio::awaitable<void> {
    const std::string piece = usbredir_bulk_packet();
    while (sent < 64 * piece.size()) {
      const bool ok = co_await write_bytes(*session.client, piece);
      if (!ok) co_return;
      sent += piece.size();
    }
  };
  asio::co_spawn(node.loop, flood(), asio::detached);
  node.loop.restart();
  std::size_t before = 1;
  // Runs until the flood stands still.
  while (sent != before) {
    before = sent;
    node.loop.run_for(100ms);
  }
  CHECK(sent < 4 * 1024 * 1024);
  // Then the device reads, and everything comes.
  const auto drain = [&]() -> asio::awaitable<std::size_t> {
    std::size_t total = 0;
    std::vector<std::byte> buffer(256 * 1024);
    while (total < 4 * 1024 * 1024) {
      const auto got = co_await session.device->read_some(buffer);
      if (!got || *got == 0) break;
      total += *got;
    }
    co_return total;
  };
  CHECK(run(node.loop, drain()) == 4 * 1024 * 1024);
}

namespace {

/// What an API server on this machine gets when it offers to take the slot over.
struct HandedOver {
  net::StreamPtr lease;
  std::string head;
  Fd device;
};

asio::awaitable<bool> take_over(net::Stream& lease, std::string target, std::string* head,
                                net::PassedDescriptors* passed) {
  const std::string request = bridge::with_handoff(upgrade(target));
  co_await send(lease, request);
  std::vector<std::byte> buffer(4096);
  while (head->find("\r\n\r\n") == std::string::npos) {
    const net::IoResult got = net::try_read_with_descriptors(lease, buffer, *passed);
    if (got.status == net::IoStatus::end || got.status == net::IoStatus::failed) co_return false;
    head->append(reinterpret_cast<const char*>(buffer.data()), got.bytes);
    if (got.status != net::IoStatus::ok) co_await lease.wait(got.status);
  }
  co_return true;
}

HandedOver take_over(Node& node, const std::string& target = kUsb) {
  HandedOver session{node.connect(), {}, {}};
  net::PassedDescriptors passed;
  CHECK(run(node.loop, take_over(*session.lease, target, &session.head, &passed)));
  CHECK_FALSE(passed.surplus);
  session.device = std::move(passed.first);
  return session;
}

}  // namespace

TEST_CASE("a slot is handed over to an API server that offers to take it, and its bytes pass the node by") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  HandedOver session = take_over(node);
  CHECK(session.head.starts_with("HTTP/1.1 101 "));
  CHECK(session.head.find("\r\nUsbloop-Handoff: socket\r\n") != std::string::npos);
  REQUIRE(session.device);
  auto device = run(node.loop, accept(qemu));
  auto stream = bridge::adopt_device(node.loop.get_executor(), std::move(session.device));
  REQUIRE(stream);
  CHECK(run(node.loop, send(**stream, "what the guard would refuse")));
  CHECK(run(node.loop, read_until(*device, "refuse")) == "what the guard would refuse");
  CHECK(run(node.loop, send(*device, "back")));
  CHECK(run(node.loop, read_until(**stream, "back")) == "back");
}

TEST_CASE("the end of the lease frees the slot and ends the device, whoever still holds a copy of its socket") {
  Node node;
  std::vector<Local::acceptor> qemu;
  for (int slot = 0; slot < kUsbSlots; ++slot) qemu.push_back(node.listen(usb_socket_name(slot)));
  std::vector<HandedOver> sessions;
  for (int slot = 0; slot < kUsbSlots; ++slot) sessions.push_back(take_over(node));
  CHECK(ask(node, bridge::with_handoff(upgrade(kUsb))).starts_with("HTTP/1.1 503 "));
  auto device = run(node.loop, accept(qemu[2]));
  SUBCASE("closed") { sessions[2].lease->close(); }
  SUBCASE("half closed") { sessions[2].lease->shutdown_write(); }
  SUBCASE("a byte that is not due") { CHECK(run(node.loop, send(*sessions[2].lease, "x"))); }
  CHECK(run(node.loop, read_until(*device, "")).empty());
  CHECK(sessions[2].device);
  HandedOver again = take_over(node);
  CHECK(again.device);
  CHECK(run(node.loop, accept(qemu[2])));
}

TEST_CASE("an API server that goes with the socket on its way to it leaves a free slot") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  for (int round = 0; round < 3; ++round) {
    auto lease = node.connect();
    CHECK(run(node.loop, send(*lease, bridge::with_handoff(upgrade(kUsb)))));
    auto device = run(node.loop, accept(qemu));
    lease.reset();
    CHECK(run(node.loop, read_until(*device, "")).empty());
  }
  CHECK(take_over(node).device);
}

TEST_CASE("the end of a guest, and of the node, ends the sessions that were handed over") {
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  HandedOver session = take_over(node);
  auto device = run(node.loop, accept(qemu));
  CHECK(run(node.loop, send(*device, "last words")));
  auto stream = bridge::adopt_device(node.loop.get_executor(), std::move(session.device));
  REQUIRE(stream);
  SUBCASE("guest") { node.server->end_sessions("uid-1"); }
  SUBCASE("node") { node.server->stop(); }
  CHECK(run(node.loop, read_until(*session.lease, "")).empty());
  CHECK(run(node.loop, read_until(*device, "")).empty());
  CHECK(run(node.loop, read_until(**stream, "")) == "last words");
}

TEST_CASE("a newer console ends an older one that was handed over") {
  Node node;
  auto qemu = node.listen(kSerialSocket);
  const HandedOver older = take_over(node, kConsole);
  auto device = run(node.loop, accept(qemu));
  const HandedOver newer = take_over(node, kConsole);
  CHECK(run(node.loop, read_until(*device, "")).empty());
  CHECK(run(node.loop, read_until(*older.lease, "")).empty());
  CHECK(newer.device);
}

TEST_CASE("nothing is handed over where the node is told not to, and to who has sent bytes behind the request") {
  {
    Node node({}, false);
    auto qemu = node.listen("virt-usbredir-0");
    const HandedOver session = take_over(node);
    CHECK(session.head.starts_with("HTTP/1.1 101 "));
    CHECK(session.head.find("Handoff") == std::string::npos);
    CHECK_FALSE(session.device);
  }
  Node node;
  auto qemu = node.listen("virt-usbredir-0");
  auto early = node.connect();
  CHECK(run(node.loop, send(*early, bridge::with_handoff(upgrade(kUsb)) + "\x89")));
  CHECK(run(node.loop, read_until(*early, "\r\n\r\n")).find("Handoff") == std::string::npos);
}
