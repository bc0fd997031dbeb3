#include "client/session.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <thread>

#include "client/scripted_host.h"
#include "common/net/test_support.h"

using namespace usbloop;
using namespace usbloop::client;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using client::testing::ScriptedHost;
using net::test::random_bytes;
using usbredir::HostState;
using websocket::Channel;
using websocket::Role;

namespace {

/// A session and the far end of its websocket.
struct Road {
  asio::io_context loop;
  ScriptedHost host;
  std::unique_ptr<Channel> near;
  std::unique_ptr<Channel> far;
  std::optional<Session> session;
  int announced = 0;

  explicit Road(SessionOptions options = {}) {
    auto [a, b] = net::test::stream_pair(loop);
    near = std::make_unique<Channel>(std::move(a), Role::client, websocket::ChannelOptions{});
    far = std::make_unique<Channel>(std::move(b), Role::server, websocket::ChannelOptions{});
    options.on_announced = [this] { ++announced; };
    session.emplace(loop.get_executor(), host, *near, std::move(options));
  }

  asio::awaitable<bool> until(std::function<bool()> condition) {
    while (!condition()) {
      asio::steady_timer timer(loop, 1ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_return true;
  }

  asio::awaitable<bool> send(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto room = far->write_buffer();
      const std::size_t size = std::min(room.size(), bytes.size());
      std::copy_n(bytes.begin(), size, room.begin());
      const auto written = co_await far->write(size);
      if (!written) co_return false;
      bytes = bytes.subspan(size);
    }
    co_return true;
  }

  /// All that the session sends, to its end; answers its Close as the real server does.
  asio::awaitable<std::vector<std::byte>> receive_all() {
    std::vector<std::byte> all;
    while (true) {
      const auto got = co_await far->read();
      if (!got || got->empty()) co_return all;
      all.insert(all.end(), got->begin(), got->end());
    }
  }

  template <typename Driver>
  SessionEnd run(Driver driver) {
    const auto task = [&]() -> asio::awaitable<SessionEnd> {
      auto [end, done] = co_await (session->run() && driver());
      (void)done;
      co_return end;
    };
    return net::test::run(loop, task());
  }
};

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("bytes pass unchanged in both directions, and stop ends with Close 1000") {
  Road road;
  const auto up = random_bytes(1'500'000, 1);
  const auto down = random_bytes(1'000'000, 2);
  for (std::size_t begin = 0; begin < up.size(); begin += 30'000) {
    road.host.output.emplace_back(up.begin() + static_cast<std::ptrdiff_t>(begin),
                                  up.begin() + static_cast<std::ptrdiff_t>(std::min(begin + 30'000, up.size())));
  }
  std::vector<std::byte> got;
  const auto end = road.run([&]() -> asio::awaitable<bool> {
    const auto stop_when_through = [&]() -> asio::awaitable<bool> {
      co_await road.until(
          [&] { return road.announced == 1 && road.host.received.size() == down.size() && road.host.output.empty(); });
      road.session->stop();
      co_return true;
    };
    const auto collect = [&]() -> asio::awaitable<bool> {
      got = co_await road.receive_all();
      co_return true;
    };
    auto [sent, stopped, collected] = co_await (road.send(down) && stop_when_through() && collect());
    co_return sent&& stopped&& collected;
  });
  CHECK(end.cause == SessionEnd::Cause::stopped);
  CHECK(road.host.received == down);
  auto expected = up;
  const auto bye = bytes_of("bye");
  expected.insert(expected.end(), bye.begin(), bye.end());
  CHECK(got == expected);
  CHECK(road.far->close_info().code == 1000);
  CHECK(road.announced == 1);
}

TEST_CASE("a host end that takes no input stops the far side instead of filling memory") {
  Road road;
  road.host.now = HostState::in_use;
  road.host.portion = 1000;
  const auto flood = random_bytes(16 * 1024 * 1024);
  const auto end = road.run([&]() -> asio::awaitable<bool> {
    const auto watch = [&]() -> asio::awaitable<bool> {
      co_await road.until([&] { return !road.host.open; });
      asio::steady_timer timer(road.loop, 100ms);  // time enough to go wrong
      co_await timer.async_wait(asio::use_awaitable);
      CHECK(road.host.received.size() == 1000);
      road.host.portion = SIZE_MAX;
      road.host.open = true;
      road.host.wake();
      co_await road.until([&] { return road.host.received.size() == flood.size(); });
      road.far->abort();
      co_return true;
    };
    auto [sent, watched] = co_await (road.send(flood) && watch());
    co_return sent&& watched;
  });
  CHECK(end.cause == SessionEnd::Cause::lost);
  CHECK(road.host.received == flood);
}

TEST_CASE("a far side that reads nothing stops the output, and stop still ends in time") {
  SessionOptions options;
  options.close_timeout = 200ms;
  Road road(std::move(options));
  road.host.now = HostState::in_use;
  for (int piece = 0; piece < 256; ++piece) road.host.output.emplace_back(64 * 1024);
  std::chrono::steady_clock::time_point stopped;
  const auto end = road.run([&]() -> asio::awaitable<bool> {
    std::size_t last = 0;
    do {
      last = road.host.consumed;
      asio::steady_timer timer(road.loop, 50ms);
      co_await timer.async_wait(asio::use_awaitable);
    } while (road.host.consumed != last);
    CHECK(last < 8 * 1024 * 1024);
    stopped = std::chrono::steady_clock::now();
    road.session->stop();
    co_return true;
  });
  CHECK(end.cause == SessionEnd::Cause::stopped);
  CHECK(std::chrono::steady_clock::now() - stopped < 15s);
  CHECK(road.host.disconnects > 0);
}

TEST_CASE("a far side that does not answer the Close frame is cut in time") {
  SessionOptions options;
  options.close_timeout = 200ms;
  Road road(std::move(options));
  road.host.now = HostState::in_use;
  const auto end = road.run([&]() -> asio::awaitable<bool> {
    road.session->stop();
    co_return true;
  });
  CHECK(end.cause == SessionEnd::Cause::stopped);
}

TEST_CASE("each end of the far side is told apart") {
  SUBCASE("a Close frame") {
    Road road;
    const auto end = road.run(
        [&]() -> asio::awaitable<bool> { co_return (co_await road.far->close(1011, "slot lost")).has_value(); });
    CHECK(end.cause == SessionEnd::Cause::closed);
    CHECK(end.close.code == 1011);
    CHECK(end.close.reason == "slot lost");
  }
  SUBCASE("TCP closed without a Close frame") {
    Road road;
    const auto end = road.run([&]() -> asio::awaitable<bool> {
      road.far->abort();
      co_return true;
    });
    CHECK(end.cause == SessionEnd::Cause::lost);
  }
}

TEST_CASE("when the far side ends, the device is taken back") {
  Road road;
  road.host.now = HostState::in_use;
  road.run([&]() -> asio::awaitable<bool> {
    road.far->abort();
    co_return true;
  });
  CHECK(road.host.disconnects == 1);
  CHECK(road.host.now == HostState::disconnected);
}

TEST_CASE("a far side that never speaks usbredir is given up") {
  SessionOptions options;
  options.hello_timeout = 50ms;
  Road road(std::move(options));
  const auto end = road.run([&]() -> asio::awaitable<bool> {
    co_await road.receive_all();
    co_return true;
  });
  CHECK(end.cause == SessionEnd::Cause::not_served);
  CHECK(road.announced == 0);
  CHECK(road.far->close_info().code == 1000);
}

TEST_CASE("a device that goes away ends the session, also when nothing is sent") {
  Road road;
  road.host.now = HostState::in_use;
  std::thread plug;
  const auto end = road.run([&]() -> asio::awaitable<bool> {
    co_await road.until([&] { return road.announced == 1; });
    road.host.now = HostState::device_gone;
    plug = std::thread([&] { road.host.wake(); });  // the wake comes from another thread
    co_await road.receive_all();
    co_return true;
  });
  plug.join();
  CHECK(end.cause == SessionEnd::Cause::device);
  REQUIRE(end.error);
  CHECK(end.error->cause == "scripted end");
}

TEST_CASE("a guest that breaks the usbredir protocol ends the session with Close 1002") {
  Road road;
  road.host.breaks = true;
  const auto end = road.run([&]() -> asio::awaitable<bool> {
    const auto garbage = bytes_of("GET / HTTP/1.1\r\n\r\n");
    const bool sent = co_await road.send(garbage);
    co_await road.receive_all();
    co_return sent;
  });
  CHECK(end.cause == SessionEnd::Cause::device);
  CHECK(road.far->close_info().code == 1002);
}

TEST_CASE("a broken websocket frame ends the session with what was wrong") {
  asio::io_context loop;
  ScriptedHost host;
  auto [near, peer] = net::test::stream_pair(loop);
  Channel channel(std::move(near), Role::client, {});
  Session session(loop.get_executor(), host, channel, {});
  const auto task = [&]() -> asio::awaitable<SessionEnd> {
    const auto frame = bytes_of("\xff\xff\xff\xff");
    co_await peer->write_all(frame);
    co_return co_await session.run();
  };
  const auto end = net::test::run(loop, task());
  CHECK(end.cause == SessionEnd::Cause::lost);
  REQUIRE(end.error);
  CHECK(end.error->kind == ErrorKind::protocol);
}
