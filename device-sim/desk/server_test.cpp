// The desk's socket, with a desk and its clients in one process.
#include "device-sim/desk/server.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <asio/post.hpp>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "common/test_text.h"
#include "device-sim/desk/desk_host.h"
#include "device-sim/desk/test_support.h"
#include "device-sim/emulation/guest_double.h"

using namespace usbloop;
using namespace usbloop::desk;
using namespace std::chrono_literals;
using usbloop::testing::contains;
using usbredir::HostState;

namespace {

/// A desk that runs in a thread of its own.
class RunningDesk {
 public:
  explicit RunningDesk(const std::string& devices) {
    dir_.write("desk.yaml", "devices:\n" + devices);
    auto desk = Desk::open(dir_.file("desk.yaml"));
    REQUIRE_MESSAGE(desk, desk.error().message());
    desk_ = std::move(*desk);
    auto server = Server::listen(loop_, socket());
    REQUIRE_MESSAGE(server, server.error().message());
    server_ = std::move(*server);
    server_->serve(*desk_);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~RunningDesk() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(loop_, [this] { server_->stop(); });
    thread_.join();
  }

  [[nodiscard]] std::string socket() const { return dir_.file("desk.sock"); }
  [[nodiscard]] DeskClient client() const {
    auto client = DeskClient::connect(socket());
    REQUIRE_MESSAGE(client, client.error().message());
    return std::move(*client);
  }
  Result<nlohmann::json> ask(Request::What what, const std::string& device) const {
    return client().ask({.what = what, .device = device});
  }
  [[nodiscard]] DeviceInfo info(std::size_t index = 0) const { return client().list()->at(index); }

  asio::io_context loop_{1};
  DeskDir dir_;

 private:
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

/// The guest's side of a device that is taken from a desk: the holder of the host end, and QEMU behind it.
class Taker {
 public:
  explicit Taker(const RunningDesk& desk, const std::string& device = "serial") {
    auto host = take_from_desk(desk.client(), device, "taker");
    REQUIRE_MESSAGE(host, host.error().message());
    host_ = std::move(*host);
    host_->set_wake([this] {
      const std::lock_guard lock(mutex_);
      woken_ = true;
      changed_.notify_all();
    });
  }

  /// Carries bytes until the condition holds.
  template <typename Condition>
  bool until(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        woken_ = false;
      }
      host_->look();
      carry();
      if (condition()) return true;
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, deadline, [this] { return woken_; })) return false;
    }
  }

  bool configure() {
    if (!until([this] { return host_->state() == HostState::announced; })) return false;
    guest.parser.send_reset();
    guest.parser.send(1, usb_redir_set_configuration_header{1});
    return until([this] { return !guest.replies.empty(); });
  }

  [[nodiscard]] usbredir::HostEnd& host() { return *host_; }
  device_sim::test::Guest guest;

 private:
  void carry() {
    while (!host_->pending().empty()) {
      REQUIRE(guest.parser.feed(host_->pending()));
      host_->consume(host_->pending().size());
    }
    while (!guest.parser.pending().empty() && host_->wants_input()) {
      const auto taken = host_->receive(guest.parser.pending());
      REQUIRE(taken);
      guest.parser.consume(*taken);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::unique_ptr<usbredir::HostEnd> host_;
};

/// A raw connection, for what no client of ours says.
Fd raw_connection(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

/// All that comes until the end.
std::string read_all(int fd) {
  std::string text;
  char block[4096];
  for (ssize_t got = 0; (got = ::recv(fd, block, sizeof block, 0)) > 0;)
    text.append(block, static_cast<std::size_t>(got));
  return text;
}

}  // namespace

TEST_CASE("a guest uses a device of a desk through the socket, and gives it back") {
  const RunningDesk desk("- {kind: serial, serial: ABC}\n");
  struct stat status {};
  REQUIRE(::stat(desk.socket().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  Taker taker(desk);
  CHECK(taker.host().device().serial == "ABC");
  REQUIRE(taker.configure());
  CHECK(desk.info().holder->name == "taker");
  CHECK(desk.info().holder->process == ::getpid());

  auto& guest = taker.guest;
  guest.replies.clear();
  guest.parser.send(2, usb_redir_control_packet_header{0, 0x22, 0x21, 0, 3, 0, 0});  // DTR
  guest.parser.send(3, usb_redir_bulk_packet_header{0x81, 0, 64, 0, 0});
  std::vector<std::byte> data(1000, std::byte{'x'});
  guest.parser.send(4, usb_redir_bulk_packet_header{0x02, 0, 1000, 0, 0}, data);
  REQUIRE(taker.until([&] { return guest.replies.size() == 3; }));
  for (const auto& reply : guest.replies) CHECK(int{reply.status} == usb_redir_success);
  CHECK(guest.replies.back().data == std::vector<std::byte>(64, std::byte{'x'}));  // the echo
  CHECK(desk.info().counters.bytes_out == 1000);

  taker.host().disconnect();
  CHECK(taker.host().state() == HostState::disconnected);
  CHECK(taker.host().outcome());
  CHECK(taker.until([&] { return guest.events.back() == "disconnect"; }));
  CHECK_FALSE(desk.info().holder);
}

TEST_CASE("a guest that is slow stops the desk's device and loses no byte") {
  const RunningDesk desk("- kind: camera\n");
  Taker taker(desk, "camera");
  REQUIRE(taker.configure());
  auto& guest = taker.guest;
  guest.replies.clear();
  // Descriptors without end, of which nothing is read: all buffers on the way fill.
  constexpr std::uint64_t kRequests = 20'000;
  std::uint64_t sent = 0;
  for (; sent < kRequests; ++sent) {
    guest.parser.send(10 + sent, usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0200, 0, 255});
  }
  CHECK(taker.until([&] { return guest.replies.size() == kRequests; }));
  std::uint64_t id = 10;
  for (const auto& reply : guest.replies) {
    REQUIRE(reply.id == id++);
    REQUIRE(reply.data.size() == guest.replies.front().data.size());
  }
}

TEST_CASE("ctl pulls a device out in the middle, and it can be taken again after it was plugged in") {
  const RunningDesk desk("- kind: serial\n");
  {
    Taker taker(desk);
    REQUIRE(taker.configure());
    CHECK(desk.ask(Request::What::unplug, "serial"));
    CHECK(taker.until([&] { return is_final(taker.host().state()); }));
    CHECK(taker.host().state() == HostState::device_gone);
    CHECK(contains(taker.host().outcome().error().message(), "the device is gone"));
    CHECK(taker.until([&] { return taker.guest.events.back() == "disconnect"; }));
  }
  CHECK(take_from_desk(desk.client(), "serial", "late").error().kind == ErrorKind::not_found);
  CHECK(desk.ask(Request::What::plug, "serial"));
  Taker again(desk);
  REQUIRE(again.configure());
  // It waits for the end of the redirection before it is there again.
  CHECK(desk.ask(Request::What::replug, "serial"));
  CHECK(again.until([&] { return again.host().state() == HostState::device_gone; }));
  CHECK(desk.info().plugged);
  CHECK(desk.info().arrivals == 3);
}

TEST_CASE("two cannot take one device, and the second hears who has it") {
  const RunningDesk desk("- kind: serial\n- kind: mouse\n");
  Taker taker(desk);
  const auto second = take_from_desk(desk.client(), "serial", "second");
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::conflict);
  CHECK(contains(second.error().message(), "taker (process " + std::to_string(::getpid()) + ") has it"));
  const Taker other(desk, "mouse");
}

TEST_CASE("a client that vanishes gives its device back") {
  const RunningDesk desk("- kind: serial\n");
  auto watch = desk.client();
  REQUIRE(watch.watch());
  { const Taker taker(desk); }
  bool is_free = false;
  while (!is_free) {
    const auto line = watch.next_line(20s);
    REQUIRE(line);
    REQUIRE(*line);
    const auto device = devices_from(**line)->front();
    is_free = !device.holder && device.counters.redirections == 1;
  }
}

TEST_CASE("a desk that ends takes its devices from their guests") {
  RunningDesk desk("- kind: serial\n");
  Taker taker(desk);
  REQUIRE(taker.configure());
  desk.stop();
  CHECK(taker.until([&] { return is_final(taker.host().state()); }));
  CHECK(taker.until([&] { return taker.guest.events.back() == "disconnect"; }));
  CHECK_FALSE(std::filesystem::exists(desk.socket()));
  const auto late = DeskClient::connect(desk.dir_.file("desk.yaml"));
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == ErrorKind::unavailable);
  CHECK(contains(late.error().hint, "device-sim desk "));
}

TEST_CASE("what hostile clients of the socket say ends their own sessions alone") {
  const RunningDesk desk("- kind: serial\n");
  Taker taker(desk);
  REQUIRE(taker.configure());
  SUBCASE("no JSON") {
    const auto fd = raw_connection(desk.socket());
    REQUIRE(::send(fd.get(), "GET / HTTP/1.1\n\n", 16, MSG_NOSIGNAL) == 16);
    ::shutdown(fd.get(), SHUT_WR);
    CHECK(contains(read_all(fd.get()), "\"error\""));
  }
  SUBCASE("a line without an end") {
    const auto fd = raw_connection(desk.socket());
    const std::string block(64 * 1024, 'x');
    ssize_t sent = 0;
    while (sent >= 0) sent = ::send(fd.get(), block.data(), block.size(), MSG_NOSIGNAL);
    CHECK((errno == EPIPE || errno == ECONNRESET));
  }
  SUBCASE("more connections than there may be") {
    std::vector<Fd> many;
    for (std::size_t count = 0; count < Server::kMostVisits; ++count) many.push_back(raw_connection(desk.socket()));
    CHECK(read_all(many.back().get()).empty());  // turned away: the taker has one
    many.clear();
  }
  SUBCASE("a request for a device that is another's, and a release of it") {
    const auto fd = raw_connection(desk.socket());
    const std::string lines = R"({"do":"take","device":"serial"})"
                              "\n"
                              R"({"do":"release","device":"serial"})"
                              "\n";
    REQUIRE(::send(fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(lines.size()));
    CHECK(contains(read_all(fd.get()), "has it"));
  }
  SUBCASE("rubbish in the place of usbredir") {
    auto second = desk.client();
    REQUIRE(desk.ask(Request::What::replug, "serial"));
    CHECK(taker.until([&] { return is_final(taker.host().state()); }));
    auto taken = second.take("serial", "hostile");
    REQUIRE(taken);
    const std::string rubbish(4096, '\xff');
    REQUIRE(::send(taken->stream.get(), rubbish.data(), rubbish.size(), MSG_NOSIGNAL) == 4096);
    const auto last = second.next_line(20s);
    REQUIRE(last);
    REQUIRE(*last);
    CHECK((**last)["ended"] == "failed");
    Taker third(desk);
    CHECK(third.configure());
    return;
  }
  taker.guest.replies.clear();
  taker.guest.parser.send(9, usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0100, 0, 18});
  CHECK(taker.until([&] { return !taker.guest.replies.empty(); }));
}

TEST_CASE("two desks do not share a socket, and one that was killed leaves no obstacle") {
  const RunningDesk desk("- kind: serial\n");
  asio::io_context loop;
  const auto second = Server::listen(loop, desk.socket());
  REQUIRE_FALSE(second);
  CHECK(contains(second.error().message(), "it runs already"));
  const std::string left = desk.dir_.file("left.sock");
  {
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, left.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  CHECK(Server::listen(loop, left));
  desk.dir_.write("file", "of somebody");
  CHECK_FALSE(Server::listen(loop, desk.dir_.file("file")));
  CHECK(std::filesystem::exists(desk.dir_.file("file")));
}
