// The truth table of a bridge over socket pairs: who ends first, and what the other side sees of it.
#include "bridge/bridge.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/use_awaitable.hpp>

#include "common/net/test_support.h"

using namespace usbloop;
using namespace usbloop::bridge;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using net::test::random_bytes;
using net::test::read_to_end;
using net::test::run;

namespace {

/// client ↔ (channel | bridge | device) ↔ qemu, in the loop of the test.
struct Road {
  std::unique_ptr<websocket::Channel> client;
  std::unique_ptr<websocket::Channel> channel;
  net::StreamPtr device;
  net::StreamPtr qemu;
  StreamGuard guard;
  net::Traffic traffic;
  int device_ends = 0;
  bool ended = false;

  explicit Road(asio::io_context& loop, bool guarded = false, websocket::ChannelOptions options = {}) {
    auto [at_client, at_server] = net::test::stream_pair(loop);
    client = std::make_unique<websocket::Channel>(std::move(at_client), websocket::Role::client,
                                                  websocket::ChannelOptions{});
    channel = std::make_unique<websocket::Channel>(std::move(at_server), websocket::Role::server, options);
    std::tie(device, qemu) = net::test::stream_pair(loop);
    const auto end = [this] {
      ++device_ends;
      device->close();
    };
    asio::co_spawn(loop, bridge::run({*channel, *device, guarded ? &guard : nullptr, end, traffic}),
                   [this](const std::exception_ptr&) { ended = true; });
  }
};

asio::awaitable<bool> send(websocket::Channel& channel, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto room = channel.write_buffer();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    const auto sent = co_await channel.write(size);
    if (!sent) co_return false;
    bytes = bytes.subspan(size);
  }
  co_return true;
}

asio::awaitable<std::vector<std::byte>> receive(websocket::Channel& channel, std::size_t most = SIZE_MAX) {
  std::vector<std::byte> all;
  while (all.size() < most) {
    const auto got = co_await channel.read();
    if (!got || got->empty()) break;
    all.insert(all.end(), got->begin(), got->end());
  }
  co_return all;
}

asio::awaitable<std::vector<std::byte>> receive(net::Stream& stream, std::size_t size) {
  std::vector<std::byte> all(size);
  std::size_t have = 0;
  while (have < size) {
    const auto room = std::span(all).subspan(have);
    const auto got = co_await stream.read_some(room);
    if (!got || *got == 0) break;
    have += *got;
  }
  all.resize(have);
  co_return all;
}

void finish(asio::io_context& loop, const Road& road) {
  loop.restart();
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!road.ended && loop.run_one_until(until) > 0) {
  }
  CHECK(road.ended);
}

}  // namespace

TEST_CASE("bytes go both ways at once, unchanged and counted") {
  asio::io_context loop;
  Road road(loop);
  const auto up = random_bytes(3'000'000, 1);
  const auto down = random_bytes(2'000'000, 2);
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [sent, written, at_qemu, at_client] =
        co_await (send(*road.client, up) && road.qemu->write_all(down) && receive(*road.qemu, up.size()) &&
                  receive(*road.client, down.size()));
    co_return sent&& written.has_value() && at_qemu == up&& at_client == down;
  };
  CHECK(run(loop, task()));
  CHECK(road.traffic.to_device == up.size());
  CHECK(road.traffic.to_client == down.size());
}

TEST_CASE("many small messages that come together reach the device in order") {
  asio::io_context loop;
  Road road(loop);
  const auto all = random_bytes(100'000, 3);
  const auto task = [&]() -> asio::awaitable<bool> {
    std::size_t size = 1;
    for (std::size_t at = 0; at < all.size(); at += size, size = size * 7 % 6007 + 1) {
      const std::size_t most = std::min(size, all.size() - at);
      const auto piece = std::span(all).subspan(at, most);
      const bool sent = co_await send(*road.client, piece);
      if (!sent) co_return false;
    }
    const auto got = co_await receive(*road.qemu, all.size());
    co_return got == all;
  };
  CHECK(run(loop, task()));
}

TEST_CASE("when the device ends, closed or half closed, the client gets its last bytes and no Close frame") {
  for (const bool half : {true, false}) {
    CAPTURE(half);
    asio::io_context loop;
    Road road(loop);
    const auto last = random_bytes(150'000, 4);
    const auto task = [&]() -> asio::awaitable<bool> {
      const auto speak = [&]() -> asio::awaitable<bool> {
        const auto written = co_await road.qemu->write_all(last);
        if (half) road.qemu->shutdown_write();
        if (!half) road.qemu->close();
        co_return written.has_value();
      };
      auto [spoken, got] = co_await (speak() && receive(*road.client));
      co_return spoken&& got == last;
    };
    CHECK(run(loop, task()));
    CHECK(road.client->close_info().code == 1006);
    road.client.reset();
    finish(loop, road);
    CHECK(road.device_ends > 0);
  }
}

TEST_CASE("when the client ends, in order or not, the device gets its last bytes and the end") {
  for (const bool in_order : {true, false}) {
    CAPTURE(in_order);
    asio::io_context loop;
    Road road(loop);
    const auto last = random_bytes(150'000, 5);
    const auto task = [&]() -> asio::awaitable<bool> {
      const auto speak = [&]() -> asio::awaitable<bool> {
        const bool sent = co_await send(*road.client, last);
        const std::string reason = "done";
        if (in_order) static_cast<void>(co_await road.client->close(1000, reason));
        if (!in_order) road.client->abort();
        co_return sent;
      };
      auto [spoken, got] = co_await (speak() && read_to_end(*road.qemu));
      co_return spoken&& got == last;
    };
    CHECK(run(loop, task()));
    finish(loop, road);
  }
}

namespace {

/// Both peers have spoken and closed before the bridge begins. So the bridge finds one side that it cannot write to
/// before it has read all of the other.
struct BothGone {
  asio::io_context loop;
  net::StreamPtr client, server, device, qemu;
  net::Traffic traffic;
  std::optional<websocket::Channel> channel;

  BothGone() {
    std::tie(client, server) = net::test::stream_pair(loop);
    std::tie(device, qemu) = net::test::stream_pair(loop);
  }

  asio::awaitable<bool> bridge() {
    channel.emplace(std::move(server), websocket::Role::server, websocket::ChannelOptions{.first_ping_sent = true});
    bridge::Ends ends{*channel, *device, nullptr, [this] { device->close(); }, traffic};
    co_await bridge::run(std::move(ends));
    channel.reset();
    co_return true;
  }
};

/// So that a writer has to wait for a reader.
void make_buffer_small(net::Stream& stream) { stream.socket().set_option(asio::socket_base::send_buffer_size(4096)); }

}  // namespace

TEST_CASE("the device gets all that a client had sent, though the client can be written to no more") {
  BothGone road;
  make_buffer_small(*road.device);
  const auto last = random_bytes(100'000, 7);
  websocket::Channel client(std::move(road.client), websocket::Role::client, {});
  REQUIRE(run(road.loop, send(client, last)));
  REQUIRE(road.qemu->try_write(random_bytes(1000)).bytes == 1000);
  client.abort();
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [ended, got] = co_await (road.bridge() && read_to_end(*road.qemu));
    co_return ended&& got == last;
  };
  CHECK(run(road.loop, task()));
}

TEST_CASE("the client gets all that a device had sent, though the device can be written to no more") {
  BothGone road;
  make_buffer_small(*road.server);
  const auto last = random_bytes(100'000, 8);
  websocket::Channel client(std::move(road.client), websocket::Role::client, {});
  REQUIRE(run(road.loop, send(client, random_bytes(1000))));
  REQUIRE(road.qemu->try_write(last).bytes == last.size());
  road.qemu->close();
  const auto read = [&]() -> asio::awaitable<std::vector<std::byte>> {
    auto got = co_await receive(client);
    client.abort();
    co_return got;
  };
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [ended, got] = co_await (road.bridge() && read());
    co_return ended&& got == last;
  };
  CHECK(run(road.loop, task()));
}

TEST_CASE("a device that cannot be written to any more ends the client") {
  asio::io_context loop;
  Road road(loop);
  road.qemu->close();
  CHECK(run(loop, receive(*road.client)).empty());
  road.client.reset();
  finish(loop, road);
}

TEST_CASE("what the guard refuses never reaches the device, and the client is told with 1008") {
  asio::io_context loop;
  Road road(loop, true);
  const auto task = [&]() -> asio::awaitable<bool> {
    const auto noise = random_bytes(1000);
    const bool sent = co_await send(*road.client, noise);
    const auto at_qemu = co_await read_to_end(*road.qemu);
    const auto at_client = co_await receive(*road.client);
    co_return sent&& at_qemu.empty() && at_client.empty();
  };
  CHECK(run(loop, task()));
  CHECK(road.client->close_info().code == 1008);
  road.client.reset();
  finish(loop, road);
}

TEST_CASE("a client that says nothing is given up while the device stays silent, and while it speaks") {
  for (const bool speaks : {false, true}) {
    CAPTURE(speaks);
    asio::io_context loop;
    auto [mute, at_server] = net::test::stream_pair(loop);
    websocket::Channel channel(std::move(at_server), websocket::Role::server,
                               {.ping_interval = 10ms, .peer_timeout = 30ms});
    auto [device, qemu] = net::test::stream_pair(loop);
    net::Traffic traffic;
    if (speaks) qemu->try_write(random_bytes(1000));
    const auto task = [&, raw = device.get()]() -> asio::awaitable<bool> {
      bridge::Ends ends{channel, *raw, nullptr, [raw] { raw->close(); }, traffic};
      co_await bridge::run(std::move(ends));
      co_return true;
    };
    CHECK(run(loop, task()));
    CHECK_FALSE(device->socket().is_open());
  }
}

TEST_CASE("a reader that stops, at either end, stops the writer in bounded memory, and every byte comes later") {
  asio::io_context loop;
  Road road(loop);
  const auto data = random_bytes(16'000'000, 6);
  const auto stands_still = [&](const std::atomic<std::uint64_t>& count) {
    std::uint64_t before = 1;
    loop.restart();
    while (count != before) {
      before = count;
      loop.run_for(50ms);
    }
    return before;
  };
  bool up_sent = false;
  asio::co_spawn(loop, send(*road.client, data), [&](const std::exception_ptr&, bool sent) { up_sent = sent; });
  CHECK(stands_still(road.traffic.to_device) < 2'000'000);
  CHECK_FALSE(up_sent);
  asio::co_spawn(loop, road.qemu->write_all(data), asio::detached);
  CHECK(stands_still(road.traffic.to_client) < 2'000'000);
  CHECK(run(loop, receive(*road.qemu, data.size())) == data);
  CHECK(run(loop, receive(*road.client, data.size())) == data);
}

TEST_CASE("a session that never stops leaves the others their turns") {
  asio::io_context loop;
  Road greedy(loop);
  Road quiet(loop);
  // The greedy session's client and device are always ready. Its bytes are counted while the other session makes its
  // rounds.
  const auto flood = [&]() -> asio::awaitable<void> {
    const std::vector<std::byte> piece(64 * 1024);
    bool sent = true;
    while (sent) sent = co_await send(*greedy.client, piece);
  };
  const auto swallow = [&]() -> asio::awaitable<void> {
    std::vector<std::byte> buffer(64 * 1024);
    while (true) {
      const auto got = co_await greedy.qemu->read_some(buffer);
      if (!got || *got == 0) co_return;
    }
  };
  asio::co_spawn(loop, flood(), asio::detached);
  asio::co_spawn(loop, swallow(), asio::detached);
  constexpr int kRounds = 50;
  const auto rounds = [&]() -> asio::awaitable<bool> {
    const auto message = random_bytes(512);
    for (int i = 0; i < kRounds; ++i) {
      static_cast<void>(co_await send(*quiet.client, message));
      const auto at_qemu = co_await receive(*quiet.qemu, message.size());
      static_cast<void>(co_await quiet.qemu->write_all(at_qemu));
      const auto back = co_await receive(*quiet.client, message.size());
      if (back != message) co_return false;
    }
    co_return true;
  };
  CHECK(run(loop, rounds()));
  // Four waits a round, each behind at most one turn of the greedy one.
  CHECK(greedy.traffic.to_device < kRounds * 4 * 2 * 16 * 64 * 1024ULL);
}
