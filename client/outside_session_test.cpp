#include "client/outside_session.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>

#include "common/net/test_support.h"

using namespace usbloop;
using namespace usbloop::client;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using net::test::random_bytes;
using websocket::Channel;
using websocket::Role;
using Bytes = std::vector<std::byte>;

namespace {

/// A session, the far end of its websocket, and a program that connects when the test says so.
struct OutsideDesk {
  asio::io_context loop;
  std::unique_ptr<Channel> near;
  std::unique_ptr<Channel> far;
  std::unique_ptr<net::Listener> listener;
  std::optional<OutsideSession> session;
  int connected = 0;

  OutsideDesk() {
    auto [a, b] = net::test::stream_pair(loop);
    near = std::make_unique<Channel>(std::move(a), Role::client, websocket::ChannelOptions{});
    far = std::make_unique<Channel>(std::move(b), Role::server, websocket::ChannelOptions{});
    auto opened = net::test::run(loop, net::Listener::open({"127.0.0.1", 0, {}}, net::Listener::For::us));
    REQUIRE(opened);
    listener = std::move(*opened);
    session.emplace(loop.get_executor(), *near, *listener);
  }

  asio::awaitable<net::StreamPtr> connect() {
    auto stream = co_await net::connect_tcp("127.0.0.1", listener->address().port, 5s);
    REQUIRE(stream);
    co_return std::move(*stream);
  }

  asio::awaitable<void> say(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto room = far->write_buffer();
      const std::size_t size = std::min(room.size(), bytes.size());
      std::copy_n(bytes.begin(), size, room.begin());
      const auto written = co_await far->write(size);
      if (!written) co_return;
      bytes = bytes.subspan(size);
    }
  }

  /// What the far end hears, to the end of the websocket; answers a Close.
  asio::awaitable<Bytes> hear() {
    Bytes all;
    while (true) {
      const auto got = co_await far->read();
      if (!got || got->empty()) co_return all;
      all.insert(all.end(), got->begin(), got->end());
    }
  }

  template <typename Driver>
  SessionEnd run(Driver driver) {
    const auto task = [&]() -> asio::awaitable<SessionEnd> {
      auto [end, done] = co_await (session->run([this] { ++connected; }) && driver());
      (void)done;
      co_return end;
    };
    return net::test::run(loop, task());
  }
};

asio::awaitable<Bytes> read_so_many(net::Stream& stream, std::size_t size) {
  Bytes bytes(size);
  std::size_t got = 0;
  while (got < size) {
    const auto more = co_await stream.read_some(std::span(bytes).subspan(got));
    if (!more || *more == 0) break;
    got += *more;
  }
  bytes.resize(got);
  co_return bytes;
}

}  // namespace

TEST_CASE("what the guest says before the program connects is kept, far beyond the bound") {
  OutsideDesk desk;
  const Bytes up = random_bytes(300'000, 1);
  const Bytes down = random_bytes(400'000, 2);  // six times what is kept: the rest waits on the road
  Bytes heard;
  Bytes told;
  const auto end = desk.run([&]() -> asio::awaitable<bool> {
    const auto program = [&]() -> asio::awaitable<void> {
      asio::steady_timer timer(desk.loop, 50ms);  // the far side has written until it is stopped
      co_await timer.async_wait(asio::use_awaitable);
      const auto stream = co_await desk.connect();
      const auto sending = [&]() -> asio::awaitable<void> {
        const auto sent = co_await stream->write_all(up);
        CHECK(sent);
      };
      const auto reading = [&]() -> asio::awaitable<void> { told = co_await read_so_many(*stream, down.size()); };
      co_await (sending() && reading());
    };
    const auto hearing = [&]() -> asio::awaitable<void> { heard = co_await desk.hear(); };
    co_await (desk.say(down) && program() && hearing());
    co_return true;
  });
  CHECK(end.cause == SessionEnd::Cause::device);
  CHECK(desk.connected == 1);
  CHECK(told == down);
  CHECK(heard == up);
  CHECK(desk.far->close_info().code == 1000);
}

TEST_CASE("the far side ends the session, with or without a program") {
  for (const bool has_program : {false, true}) {
    CAPTURE(has_program);
    OutsideDesk desk;
    net::StreamPtr stream;
    Bytes rest;
    const auto end = desk.run([&]() -> asio::awaitable<bool> {
      if (has_program) stream = co_await desk.connect();
      while (has_program && desk.connected == 0) {
        asio::steady_timer timer(desk.loop, 1ms);
        co_await timer.async_wait(asio::use_awaitable);
      }
      const std::string reason = "enough";
      co_await desk.far->close(1011, reason);
      co_await desk.hear();
      if (has_program) rest = co_await net::test::read_to_end(*stream);
      co_return true;
    });
    CHECK(end.cause == SessionEnd::Cause::closed);
    CHECK(end.close.code == 1011);
    CHECK(end.close.reason == "enough");
    CHECK(rest.empty());
  }
}

TEST_CASE("a far side that is gone is lost") {
  OutsideDesk desk;
  const auto end = desk.run([&]() -> asio::awaitable<bool> {
    desk.far->abort();
    co_return true;
  });
  CHECK(end.cause == SessionEnd::Cause::lost);
}

TEST_CASE("stop and fail end it before anybody has connected, and a far side that does not answer is not waited for") {
  for (const bool is_stop : {true, false}) {
    CAPTURE(is_stop);
    OutsideDesk desk;
    const auto begin = std::chrono::steady_clock::now();
    const auto end = desk.run([&]() -> asio::awaitable<bool> {
      asio::steady_timer timer(desk.loop, 5ms);
      co_await timer.async_wait(asio::use_awaitable);
      if (is_stop) desk.session->stop();
      if (!is_stop) desk.session->fail({ErrorKind::timeout, "launch", "it", "why", ""});
      co_return true;
    });
    CHECK(end.cause == (is_stop ? SessionEnd::Cause::stopped : SessionEnd::Cause::device));
    CHECK((end.error && end.error->cause == "why") == !is_stop);
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
    CHECK(desk.connected == 0);
  }
}

TEST_CASE("a guest that reads nothing stops the program, and stop ends it all the same") {
  OutsideDesk desk;
  const Bytes much = random_bytes(64 * 1024);
  std::size_t sent = 0;
  const auto end = desk.run([&]() -> asio::awaitable<bool> {
    const auto stream = co_await desk.connect();
    // Until nothing goes on for a while: what the sockets hold is some MiB.
    auto last = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - last < 100ms) {
      const auto put = stream->try_write(much);
      if (put.status == net::IoStatus::ok) {
        sent += put.bytes;
        last = std::chrono::steady_clock::now();
      }
      asio::steady_timer timer(desk.loop, 1ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    desk.session->stop();
    co_return true;
  });
  CHECK(end.cause == SessionEnd::Cause::stopped);
  CHECK(sent < 64U * 1024 * 1024);
}

TEST_CASE("one program alone is let in") {
  OutsideDesk desk;
  bool refused = false;
  desk.run([&]() -> asio::awaitable<bool> {
    const auto port = desk.listener->address().port;
    const auto first = co_await desk.connect();
    while (desk.connected == 0) {
      asio::steady_timer timer(desk.loop, 1ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    const auto second = co_await net::connect_tcp("127.0.0.1", port, 2s);
    refused = !second;
    desk.session->stop();
    co_await desk.hear();
    co_return true;
  });
  CHECK(refused);
}

TEST_CASE("a unix socket is this user's alone, and its name goes with the first connection") {
  asio::io_context loop;
  char directory[] = "/tmp/usbloop-listener-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string path = std::string(directory) + "/socket";
  {
    auto opened = net::test::run(loop, net::Listener::open({"", 0, path}, net::Listener::For::us));
    REQUIRE(opened);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    auto again = net::test::run(loop, net::Listener::open({"", 0, path}, net::Listener::For::us));
    REQUIRE_FALSE(again);
    CHECK(again.error().kind == ErrorKind::conflict);
    auto stream = net::connect_unix(loop.get_executor(), path);
    REQUIRE(stream);
    const auto accepted = net::test::run(loop, (*opened)->accept());
    CHECK(accepted);
    CHECK(::stat(path.c_str(), &status) != 0);
  }
  CHECK(::rmdir(directory) == 0);
}
