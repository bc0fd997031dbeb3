#include "common/net/relay.h"

#include <doctest/doctest.h>

#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "common/net/test_support.h"

using namespace usbloop::net;
using namespace usbloop::net::test;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;

namespace {

/// left ↔ (first | relay | second) ↔ right
struct Road {
  asio::io_context loop;
  StreamPtr left, first, second, right;
  Traffic traffic;
  std::optional<RelayCounts> counts;

  explicit Road(std::chrono::milliseconds linger = 10s) {
    std::tie(left, first) = stream_pair(loop);
    std::tie(second, right) = stream_pair(loop);
    asio::co_spawn(loop, relay(*first, *second, {.linger = linger}, traffic),
                   [this](std::exception_ptr, RelayCounts result) { counts = result; });
  }

  asio::awaitable<bool> relay_ended() {
    while (!counts) {
      asio::steady_timer timer(loop, 1ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_return true;
  }
};

asio::awaitable<bool> send_and_end(Stream& stream, std::span<const std::byte> bytes) {
  const auto sent = co_await stream.write_all(bytes);
  stream.shutdown_write();
  co_return sent.has_value();
}

}  // namespace

TEST_CASE("both directions carry their bytes to the end, whatever their sizes") {
  Road road;
  const auto up = random_bytes(5'000'000, 1);
  const auto down = random_bytes(1'000'000, 2);
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [a, b, c, d, e] = co_await (send_and_end(*road.left, up) && send_and_end(*road.right, down) &&
                                     read_to_end(*road.right) && read_to_end(*road.left) && road.relay_ended());
    co_return a&& b&& c == up&& d == down&& e;
  };
  CHECK(run(road.loop, task()));
  CHECK(road.counts->first_to_second == up.size());
  CHECK(road.counts->second_to_first == down.size());
  CHECK(road.traffic.to_device == up.size());
  CHECK(road.traffic.to_client == down.size());
}

TEST_CASE("after one side's end the other may still speak") {
  Road road;
  const auto answer = random_bytes(100'000);
  const auto task = [&]() -> asio::awaitable<bool> {
    road.left->shutdown_write();
    const auto end = co_await read_to_end(*road.right);
    auto [sent, got] = co_await (send_and_end(*road.right, answer) && read_to_end(*road.left));
    co_return end.empty() && sent&& got == answer;
  };
  CHECK(run(road.loop, task()));
}

TEST_CASE("a side that never ends is cut after the linger time") {
  Road road(50ms);
  const auto task = [&]() -> asio::awaitable<bool> {
    road.left->shutdown_write();
    const auto at_right = co_await read_to_end(*road.right);  // right itself never ends
    const auto at_left = co_await read_to_end(*road.left);
    const bool ended = co_await road.relay_ended();
    co_return at_right.empty() && at_left.empty() && ended;
  };
  CHECK(run(road.loop, task()));
}

TEST_CASE("bytes sent right before a close arrive") {
  Road road;
  const auto data = random_bytes(60'000);
  const auto task = [&]() -> asio::awaitable<bool> {
    (void)co_await road.left->write_all(data);
    road.left->close();
    co_return co_await read_to_end(*road.right) == data;
  };
  CHECK(run(road.loop, task()));
}

TEST_CASE("bytes sent before a close arrive though the side that closed can be written to no more") {
  for (const bool up : {true, false}) {
    CAPTURE(up);
    Road road;
    Stream& speaker = up ? *road.left : *road.right;
    Stream& reader = up ? *road.right : *road.left;
    // The relay has to wait for the reader, and meanwhile finds that the speaker takes nothing.
    (up ? road.second : road.first)->socket().set_option(asio::socket_base::send_buffer_size(4096));
    const auto data = random_bytes(60'000);
    REQUIRE(speaker.try_write(data).bytes == data.size());
    REQUIRE(reader.try_write(random_bytes(1000)).bytes == 1000);
    speaker.close();
    const auto task = [&]() -> asio::awaitable<bool> {
      const auto got = co_await read_to_end(reader);
      reader.close();
      const bool ended = co_await road.relay_ended();
      co_return ended&& got == data;
    };
    CHECK(run(road.loop, task(), 5s));
  }
}

TEST_CASE("a peer that closes with unread bytes ends the relay within the linger time") {
  Road road(50ms);
  const auto task = [&]() -> asio::awaitable<bool> {
    (void)co_await road.left->write_all(random_bytes(10'000));
    road.right->close();
    (void)co_await road.left->write_all(random_bytes(10'000));
    co_return co_await road.relay_ended();
  };
  CHECK(run(road.loop, task(), 5s));
}

TEST_CASE("a reader that stops holds the writer up, and every byte arrives when it goes on") {
  Road road;
  const auto data = random_bytes(8'000'000);
  bool all_sent = false;
  const auto sender = [&]() -> asio::awaitable<bool> {
    all_sent = co_await send_and_end(*road.left, data);
    co_return all_sent;
  };
  const auto late_reader = [&]() -> asio::awaitable<std::vector<std::byte>> {
    asio::steady_timer timer(road.loop, 200ms);
    co_await timer.async_wait(asio::use_awaitable);
    CHECK_FALSE(all_sent);
    co_return co_await read_to_end(*road.right);
  };
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [sent, got] = co_await (sender() && late_reader());
    co_return sent&& got == data;
  };
  CHECK(run(road.loop, task()));
}

TEST_CASE("closing a stream of the relay ends it") {
  Road road;
  const auto task = [&]() -> asio::awaitable<bool> {
    asio::steady_timer timer(road.loop, 10ms);
    co_await timer.async_wait(asio::use_awaitable);
    road.first->close();
    co_return co_await road.relay_ended();
  };
  CHECK(run(road.loop, task()));
}
