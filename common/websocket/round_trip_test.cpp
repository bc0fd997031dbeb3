#include "common/websocket/round_trip.h"

#include <doctest/doctest.h>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <string_view>

#include "common/net/test_support.h"
#include "common/websocket/channel.h"
#include "common/websocket/frame.h"

using namespace usbloop;
using namespace usbloop::websocket;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using net::test::run;

namespace {

/// The client's stream, and a server that answers each ping after a time of its own.
struct PingedServer {
  asio::io_context loop;
  net::StreamPtr client, server;
  std::vector<std::byte> came;
  int pings = 0;

  PingedServer() {
    auto [a, b] = net::test::stream_pair(loop);
    client = std::move(a);
    server = std::move(b);
  }

  /// Sends `first`, and answers as many pings as there are times.
  asio::awaitable<bool> serve(std::vector<std::byte> first, std::vector<std::chrono::milliseconds> times) {
    (void)co_await server->write_all(first);
    FrameDecoder decoder(true);
    std::array<std::byte, 256> room{};
    for (const auto time : times) {
      const auto got = co_await server->read_some(room);
      if (!got || *got == 0) co_return false;
      const Decoded ping = decoder.next(std::span(room).first(*got));
      if (ping.kind != Decoded::Kind::control || ping.opcode != Opcode::ping) co_return false;
      ++pings;
      const auto pong = encode_control(Opcode::pong, ping.payload, nullptr);
      asio::steady_timer timer(loop, time);
      co_await timer.async_wait(asio::use_awaitable);
      (void)co_await server->write_all(pong);
    }
    co_return true;
  }

  std::optional<std::chrono::microseconds> measure(std::vector<std::byte> first,
                                                   std::vector<std::chrono::milliseconds> times,
                                                   RoundTripOptions options) {
    const auto task = [&]() -> asio::awaitable<std::optional<std::chrono::microseconds>> {
      auto [measured, served] =
          co_await (measure_round_trip(*client, came, options) && serve(std::move(first), std::move(times)));
      CHECK(served);
      co_return measured;
    };
    return run(loop, task());
  }
};

std::vector<std::byte> frame_of(std::string_view text) {
  std::vector<std::byte> frame{std::byte{0x82}, static_cast<std::byte>(text.size())};
  for (const char each : text) frame.push_back(static_cast<std::byte>(each));
  return frame;
}

// A way that is long enough for a machine that is busy with other tests.
constexpr RoundTripOptions kPatient{.long_way = 10s, .pings = 4, .patience = 60s};

}  // namespace

TEST_CASE("a short round trip is asked for once") {
  PingedServer ends;
  const auto measured = ends.measure({}, {1ms}, kPatient);
  REQUIRE(measured);
  CHECK(*measured >= 1ms);
  CHECK(ends.pings == 1);
}

TEST_CASE("of a long way the shortest of four times counts") {
  PingedServer ends;
  const auto measured = ends.measure({}, {60ms, 40ms, 20ms, 50ms}, {.long_way = 1ms, .pings = 4, .patience = 60s});
  REQUIRE(measured);
  CHECK(*measured >= 20ms);
  CHECK(ends.pings == 4);
}

TEST_CASE("what a server says meanwhile is kept for the channel, cut anywhere") {
  PingedServer ends;
  auto first = encode_control(Opcode::ping, {}, nullptr);
  const auto hello = frame_of("hello");
  first.insert(first.end(), hello.begin(), hello.end());
  ends.came.assign(first.begin(), first.begin() + 4);  // with the handshake: the ping, and half a header
  REQUIRE(ends.measure({first.begin() + 4, first.end()}, {0ms}, kPatient));
  Channel channel(std::move(ends.client), Role::client, {}, ends.came);
  const auto got = run(ends.loop, channel.read());
  REQUIRE(got);
  CHECK(std::string(reinterpret_cast<const char*>(got->data()), got->size()) == "hello");
}

TEST_CASE("a server that never answers a ping, one that ends and one that says too much leave the way unknown") {
  PingedServer silent;
  CHECK_FALSE(silent.measure(frame_of("hello"), {}, {.long_way = 1ms, .pings = 4, .patience = 20ms}));
  CHECK(silent.came == frame_of("hello"));
  CHECK(silent.client->socket().is_open());

  PingedServer closing;
  const auto close = encode_control(Opcode::close, close_payload(1000, "bye"), nullptr);
  CHECK_FALSE(closing.measure(close, {}, kPatient));
  CHECK(closing.came == close);

  PingedServer talking;
  std::vector<std::byte> much;
  while (much.size() < 20'000) {
    const auto more = frame_of("a server that talks on and on");
    much.insert(much.end(), more.begin(), more.end());
  }
  CHECK_FALSE(talking.measure(much, {}, kPatient));
  CHECK(talking.came.size() >= 16 * 1024);
  CHECK(talking.came.size() < 20'000);
}
