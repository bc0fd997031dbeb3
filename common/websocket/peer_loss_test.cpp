// Peers that vanish without a word, in every state of the traffic, on real connections between two hosts.
#include <doctest/doctest.h>

#include <algorithm>
#include <asio/detached.hpp>
#include <functional>
#include <memory>

#include "common/net/relay.h"
#include "common/net/test_link.h"
#include "common/net/test_support.h"
#include "common/test_text.h"
#include "common/websocket/channel.h"

using namespace usbloop;
using namespace usbloop::websocket;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using net::test::TestLink;

namespace {

constexpr ChannelOptions kOptions{.ping_interval = 400ms, .peer_timeout = 1500ms};

/// Sends without end, until the channel fails.
asio::awaitable<void> flood(std::shared_ptr<Channel> channel) {
  while (true) {
    const auto room = channel->write_buffer();
    std::fill(room.begin(), room.end(), std::byte{1});
    const auto written = co_await channel->write(room.size());
    if (!written) co_return;
  }
}

asio::awaitable<void> drain(std::shared_ptr<Channel> channel) {
  while (true) {
    const auto got = co_await channel->read();
    if (!got || got->empty()) co_return;
  }
}

enum class Traffic { idle, out, in, both, full };
constexpr std::array<const char*, 5> kTrafficNames = {"idle", "busy out", "busy in", "busy both ways", "window full"};

/// One session: the near end is under test, the far one vanishes.
struct Session {
  std::string name;
  std::shared_ptr<Channel> near, far;
  std::optional<Error> error;  ///< of the near end's reader
  Clock::time_point ended;

  asio::awaitable<void> read() {
    while (true) {
      const auto got = co_await near->read();
      if (got && !got->empty()) continue;
      error = got ? Error{ErrorKind::protocol, "", "", "the end of the stream"} : got.error();
      ended = Clock::now();
      co_return;
    }
  }
};

/// All states of the traffic for both roles, side by side.
struct Matrix {
  TestLink link;
  asio::io_context near_loop, far_loop;
  std::vector<std::unique_ptr<Session>> sessions;

  explicit Matrix(ChannelOptions far_options = kOptions) {
    for (const Role role : {Role::client, Role::server}) {
      for (const Traffic traffic : {Traffic::idle, Traffic::out, Traffic::in, Traffic::both, Traffic::full}) {
        add(role, traffic, far_options);
      }
    }
  }

  void add(Role role, Traffic traffic, ChannelOptions far_options) {
    auto [near, far] = link.connect(near_loop, far_loop);
    auto session = std::make_unique<Session>();
    session->name = std::string(role == Role::client ? "client, " : "server, ") +
                    kTrafficNames.at(static_cast<std::size_t>(traffic));
    session->near = std::make_shared<Channel>(std::move(near), role, kOptions);
    session->far =
        std::make_shared<Channel>(std::move(far), role == Role::client ? Role::server : Role::client, far_options);
    asio::co_spawn(near_loop, session->read(), asio::detached);
    const bool out = traffic == Traffic::out || traffic == Traffic::both || traffic == Traffic::full;
    const bool in = traffic == Traffic::in || traffic == Traffic::both;
    if (out) asio::co_spawn(near_loop, flood(session->near), asio::detached);
    if (in) asio::co_spawn(far_loop, flood(session->far), asio::detached);
    // A far end that does not read is alive: it pings.
    if (traffic != Traffic::full) asio::co_spawn(far_loop, drain(session->far), asio::detached);
    sessions.push_back(std::move(session));
  }

  /// Lets both hosts run, or the near one only.
  void run_for(std::chrono::milliseconds time, bool far_runs = true) {
    const auto until = Clock::now() + time;
    while (Clock::now() < until && !all_ended()) {
      near_loop.run_for(2ms);
      if (far_runs) far_loop.run_for(2ms);
    }
  }

  [[nodiscard]] bool all_ended() const {
    return std::all_of(sessions.begin(), sessions.end(), [](const auto& session) { return session->error; });
  }

  void check_all_alive() const {
    for (const auto& session : sessions) {
      CHECK_MESSAGE(!session->error, session->name << ": " << (session->error ? session->error->cause : ""));
    }
  }

  /// A slow machine may make it later. The fault was a tenfold time, which is out of reach here.
  void check_noticed(Clock::time_point vanished) {
    run_for(8 * kOptions.peer_timeout, false);
    for (const auto& session : sessions) {
      CAPTURE(session->name);
      REQUIRE(session->error);
      CHECK(session->error->kind == ErrorKind::timeout);
      CHECK_MESSAGE(usbloop::testing::contains(session->error->cause, "nothing heard from the peer for "),
                    session->error->cause);
      // How much later depends on when the peer was heard last, which on a slow machine is long before it vanished.
      CHECK(session->ended > vanished);
    }
  }
};

}  // namespace

TEST_CASE("a link that is cut is noticed within the timeout in every state of the traffic, at both ends") {
  for (const auto before : {0ms, 1200ms}) {  // in the first moment, and later
    CAPTURE(before.count());
    Matrix matrix;
    matrix.run_for(before + 100ms);
    matrix.check_all_alive();
    const auto vanished = Clock::now();
    matrix.link.cut();
    matrix.check_noticed(vanished);
  }
}

TEST_CASE("a peer whose process is stopped is noticed within the timeout in every state of the traffic, at both ends") {
  for (const auto before : {0ms, 1200ms}) {
    CAPTURE(before.count());
    Matrix matrix;
    matrix.run_for(before + 100ms);
    matrix.check_all_alive();
    matrix.check_noticed(Clock::now());
  }
}

TEST_CASE("a peer that is alive stays connected in every state, also when it does not read for many timeouts") {
  Matrix matrix;
  matrix.run_for(5 * kOptions.peer_timeout);
  matrix.check_all_alive();
}

TEST_CASE("a peer that sends no pings and does not read stays connected while its host answers, not when it is cut") {
  Matrix matrix({.ping_interval = 1h, .peer_timeout = 1h});
  matrix.sessions.clear();
  asio::io_context loop;
  auto [near, far] = matrix.link.connect(loop, loop);
  auto session = std::make_unique<Session>();
  session->near = std::make_shared<Channel>(std::move(near), Role::server, kOptions);
  asio::co_spawn(loop, session->read(), asio::detached);
  asio::co_spawn(loop, flood(session->near), asio::detached);
  loop.run_for(4 * kOptions.peer_timeout);
  CHECK_FALSE(session->error);
  matrix.link.cut();
  const auto until = Clock::now() + 4 * kOptions.peer_timeout;
  while (!session->error && Clock::now() < until) loop.run_for(20ms);
  REQUIRE(session->error);
  CHECK(session->error->kind == ErrorKind::timeout);
}

TEST_CASE("whoever does not read because its own device is stopped notices the cut as well, and says so") {
  TestLink link;
  asio::io_context loop;
  auto [near, far] = link.connect(loop, loop);
  Channel channel(std::move(near), Role::server, kOptions);
  const auto peer = std::make_shared<Channel>(std::move(far), Role::client, kOptions);
  asio::co_spawn(loop, drain(peer), asio::detached);
  std::optional<Error> gone;
  channel.on_peer_gone([&](const Error& error) { gone = error; });
  loop.run_for(3 * kOptions.peer_timeout);
  CHECK_FALSE(gone);
  link.cut();
  const auto until = Clock::now() + 4 * kOptions.peer_timeout;
  while (!gone && Clock::now() < until) loop.run_for(20ms);
  REQUIRE(gone);
  CHECK(gone->kind == ErrorKind::timeout);
  CHECK(channel.close_info().reason == gone->cause);
}

TEST_CASE("a relay ends when the host of one end has vanished, and passes on while it only does not read") {
  TestLink link;
  asio::io_context loop;
  auto [client, far_client] = link.connect(loop, loop);
  auto [to_node, node] = net::test::stream_pair(loop);
  net::Traffic traffic;
  std::optional<net::RelayCounts> counts;
  asio::co_spawn(loop, net::relay(*client, *to_node, {.linger = 10s, .peer_timeout = 1500ms}, traffic),
                 [&](const std::exception_ptr&, net::RelayCounts result) { counts = result; });
  const auto send = [&]() -> asio::awaitable<void> {
    const auto data = net::test::random_bytes(1 << 20);
    bool open = true;
    while (open) {
      const auto written = co_await node->write_all(data);
      open = written.has_value();
    }
  };
  asio::co_spawn(loop, send(), asio::detached);
  loop.run_for(4 * 1500ms);
  CHECK_FALSE(counts);
  link.cut();
  const auto until = Clock::now() + 4 * 1500ms;
  while (!counts && Clock::now() < until) loop.run_for(20ms);
  REQUIRE(counts);
  REQUIRE(counts->silence);
  CHECK(*counts->silence >= 1500ms);
}
