#include "common/websocket/channel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>

#include "common/net/test_support.h"
#include "common/websocket/frame.h"

using namespace usbloop;
using namespace usbloop::websocket;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using net::test::random_bytes;
using net::test::run;

namespace {

struct Ends {
  asio::io_context loop;
  std::unique_ptr<Channel> client;
  std::unique_ptr<Channel> server;

  explicit Ends(ChannelOptions options = {}) {
    auto [a, b] = net::test::stream_pair(loop);
    client = std::make_unique<Channel>(std::move(a), Role::client, options);
    server = std::make_unique<Channel>(std::move(b), Role::server, options);
  }
};

/// One websocket end and the raw stream of a peer that can break the rules.
struct RawPeer {
  asio::io_context loop;
  net::StreamPtr peer;
  std::unique_ptr<Channel> channel;

  explicit RawPeer(Role role, ChannelOptions options = {}) {
    auto [a, b] = net::test::stream_pair(loop);
    peer = std::move(a);
    channel = std::make_unique<Channel>(std::move(b), role, options);
  }
};

asio::awaitable<bool> send_all(Channel& channel, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto room = channel.write_buffer();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    const auto written = co_await channel.write(size);
    if (!written) co_return false;
    bytes = bytes.subspan(size);
  }
  co_return true;
}

asio::awaitable<std::vector<std::byte>> receive(Channel& channel, std::size_t size) {
  std::vector<std::byte> all;
  while (all.size() < size) {
    const auto got = co_await channel.read();
    if (!got || got->empty()) break;
    all.insert(all.end(), got->begin(), got->end());
  }
  co_return all;
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("bytes arrive unchanged in both directions at once") {
  Ends ends;
  const auto up = random_bytes(3'000'000, 1);
  const auto down = random_bytes(2'000'000, 2);
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [sent_up, sent_down, got_up, got_down] =
        co_await (send_all(*ends.client, up) && send_all(*ends.server, down) && receive(*ends.server, up.size()) &&
                  receive(*ends.client, down.size()));
    co_return sent_up&& sent_down&& got_up == up&& got_down == down;
  };
  CHECK(run(ends.loop, task()));
}

TEST_CASE("a Close is answered and seen with its code and reason") {
  Ends ends;
  const auto task = [&]() -> asio::awaitable<bool> {
    (void)co_await ends.client->close(1001, "going");
    const auto at_server = co_await ends.server->read();
    const auto at_client = co_await ends.client->read();
    co_return at_server && at_server->empty() && at_client && at_client->empty();
  };
  CHECK(run(ends.loop, task()));
  CHECK(ends.server->close_info().code == 1001);
  CHECK(ends.server->close_info().reason == "going");
  CHECK(ends.client->close_info().code == 1001);
}

TEST_CASE("an end of stream without Close is code 1006") {
  RawPeer ends(Role::server);
  ends.peer->close();
  const auto got = run(ends.loop, ends.channel->read());
  REQUIRE(got.has_value());
  CHECK(got->empty());
  CHECK(ends.channel->close_info().code == 1006);
}

TEST_CASE("a peer that breaks the protocol gets Close 1002 and the end") {
  RawPeer ends(Role::server);
  const auto unmasked = encode_control(Opcode::ping, {}, nullptr);
  const auto task = [&]() -> asio::awaitable<std::vector<std::byte>> {
    (void)co_await ends.peer->write_all(unmasked);
    const auto got = co_await ends.channel->read();
    CHECK_FALSE(got.has_value());
    if (!got) CHECK(got.error().kind == ErrorKind::protocol);
    co_return co_await net::test::read_to_end(*ends.peer);
  };
  auto expected = encode_control(Opcode::ping, std::vector<std::byte>(8), nullptr);  // which each end begins with
  const auto close = encode_control(Opcode::close, close_payload(1002, "bad MASK"), nullptr);
  expected.insert(expected.end(), close.begin(), close.end());
  CHECK(run(ends.loop, task()) == expected);
}

TEST_CASE("a server whose first ping went with the handshake begins with what it has to say, not with another ping") {
  RawPeer ends(Role::server, {.first_ping_sent = true});
  const auto task = [&]() -> asio::awaitable<std::vector<std::byte>> {
    const auto unmasked = encode_control(Opcode::close, close_payload(1000, {}), nullptr);
    (void)co_await ends.peer->write_all(unmasked);
    (void)co_await ends.channel->read();  // a violation
    co_return co_await net::test::read_to_end(*ends.peer);
  };
  CHECK(run(ends.loop, task()) == encode_control(Opcode::close, close_payload(1002, "bad MASK"), nullptr));
  CHECK(bytes_of(first_ping()) == encode_control(Opcode::ping, std::vector<std::byte>(8), nullptr));
}

TEST_CASE("a ping is answered with its payload") {
  RawPeer ends(Role::client);
  const auto task = [&]() -> asio::awaitable<std::vector<std::byte>> {
    (void)co_await ends.peer->write_all(encode_control(Opcode::ping, bytes_of("abc"), nullptr));
    (void)co_await ends.peer->write_all(encode_control(Opcode::binary, bytes_of("x"), nullptr));
    (void)co_await ends.channel->read();
    FrameDecoder decoder(true);
    while (true) {
      std::vector<std::byte> sent(64);
      const auto got = co_await ends.peer->read_some(sent);
      std::span<std::byte> rest(sent.data(), got.value_or(0));
      if (rest.empty()) co_return std::vector<std::byte>{};
      while (!rest.empty()) {
        const Decoded frame = decoder.next(rest);
        rest = rest.subspan(frame.consumed);
        if (frame.kind != Decoded::Kind::control || frame.opcode == Opcode::ping) continue;  // pings of its own
        CHECK(frame.opcode == Opcode::pong);
        co_return std::vector(frame.payload.begin(), frame.payload.end());
      }
    }
  };
  CHECK(run(ends.loop, task()) == bytes_of("abc"));
}

TEST_CASE("a peer that vanished without a word is noticed") {
  RawPeer ends(Role::client, {.ping_interval = 20ms, .peer_timeout = 100ms});
  const auto got = run(ends.loop, ends.channel->read());
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().kind == ErrorKind::timeout);
}

TEST_CASE("two idle ends keep each other alive") {
  Ends ends({.ping_interval = 20ms, .peer_timeout = 100ms});
  const auto late_word = [&]() -> asio::awaitable<bool> {
    asio::steady_timer timer(ends.loop, 400ms);
    co_await timer.async_wait(asio::use_awaitable);
    const auto word = bytes_of("still here");
    co_return co_await send_all(*ends.client, word);
  };
  const auto close_after_word = [&]() -> asio::awaitable<bool> {
    const auto got = co_await receive(*ends.server, 10);
    (void)co_await ends.server->close(1000, "");
    co_return got == bytes_of("still here");
  };
  const auto wait_for_close = [&]() -> asio::awaitable<bool> {
    const auto end = co_await ends.client->read();
    co_return end && end->empty();
  };
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [sent, heard, ended] = co_await (late_word() && close_after_word() && wait_for_close());
    co_return sent&& heard&& ended;
  };
  CHECK(run(ends.loop, task()));
}

TEST_CASE("a writer waits for a reader that stopped, and nothing is lost") {
  Ends ends({.ping_interval = 20ms, .peer_timeout = 60'000ms});
  const auto data = random_bytes(4'000'000);
  const auto late_reader = [&]() -> asio::awaitable<std::vector<std::byte>> {
    asio::steady_timer timer(ends.loop, 200ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return co_await receive(*ends.server, data.size());
  };
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [sent, got] = co_await (send_all(*ends.client, data) && late_reader());
    co_return sent&& got == data;
  };
  CHECK(run(ends.loop, task()));
}

TEST_CASE("a write that must not wait sends what the socket takes, and the rest is finished later") {
  Ends ends;
  const auto data = random_bytes(8'000'000);
  std::size_t started = 0;
  const auto start = [&] {
    const auto room = ends.client->write_buffer();
    const std::size_t size = std::min(room.size(), data.size() - started);
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(started), size, room.begin());
    started += size;
    return ends.client->start_write(size);
  };
  while (start()) REQUIRE(started < data.size());  // nobody reads: the socket fills up
  const auto rest = [&]() -> asio::awaitable<bool> {
    bool sent_all = false;
    while (true) {
      if (!sent_all) {
        const auto finished = co_await ends.client->finish_write();
        if (!finished) co_return false;
      }
      if (started == data.size()) co_return true;
      sent_all = start();
    }
  };
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [sent, got] = co_await (rest() && receive(*ends.server, data.size()));
    co_return sent&& got == data;
  };
  CHECK(run(ends.loop, task()));
  ends.client->abort();
  ends.client->write_buffer();
  CHECK_FALSE(ends.client->start_write(1));
  CHECK(run(ends.loop, ends.client->finish_write()).error().kind == ErrorKind::cancelled);
}

TEST_CASE("abort ends a pending read") {
  Ends ends;
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [got, done] = co_await (ends.client->read() && [&]() -> asio::awaitable<bool> {
      ends.client->abort();
      co_return true;
    }());
    co_return done && !got && got.error().kind == ErrorKind::cancelled;
  };
  CHECK(run(ends.loop, task()));
}

TEST_CASE("bytes that came with the handshake are read first") {
  asio::io_context loop;
  auto [a, b] = net::test::stream_pair(loop);
  const auto early = encode_control(Opcode::binary, bytes_of("early"), nullptr);
  Channel channel(std::move(b), Role::client, {}, early);
  CHECK(run(loop, receive(channel, 5)) == bytes_of("early"));
}
