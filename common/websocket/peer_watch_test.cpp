#include "common/websocket/peer_watch.h"

#include <doctest/doctest.h>

using namespace usbloop;
using namespace usbloop::websocket;
using namespace std::chrono_literals;

namespace {

/// A watch with a clock of its own: looks every second.
struct Desk {
  PeerWatch::Clock::time_point now{};
  PeerWatch watch{30s, now};
  std::optional<net::LinkState> link;

  /// Seconds until the peer was taken for gone; -1: not within `limit`.
  int seconds_until_gone(int limit = 400) {
    for (int second = 1; second <= limit; ++second) {
      now += 1s;
      if (link) {
        link->since_segment += 1s;
        link->since_payload += 1s;
      }
      silence = watch.look(now, link);
      if (silence) return second;
    }
    return -1;
  }

  std::optional<PeerWatch::Silence> silence;
};

}  // namespace

TEST_CASE("an idle peer has the timeout, and the message says the time that was measured") {
  Desk desk;
  desk.watch.waits(true);
  CHECK(desk.seconds_until_gone() == 31);  // the first look begins to count
  CHECK(desk.silence->text() == "nothing heard from the peer for 31 s");
}

TEST_CASE("a peer without pings that has not read our data has ten times as long, until a pong says that it has") {
  Desk desk;
  desk.watch.waits(true);
  desk.watch.sent_message();
  const auto ping = desk.watch.ping_payload();
  desk.watch.sent_message();
  CHECK(desk.seconds_until_gone(290) == -1);
  desk.watch.heard(desk.now);
  desk.watch.heard_pong(ping);  // the second message is still before it
  CHECK(desk.seconds_until_gone(290) == -1);
  desk.watch.heard(desk.now);
  desk.watch.heard_pong(desk.watch.ping_payload());
  CHECK(desk.seconds_until_gone() == 30);
}

TEST_CASE("a pong that was not asked for says nothing about what was read") {
  Desk desk;
  desk.watch.waits(true);
  desk.watch.sent_message();
  PeerWatch::PingPayload too_much{};
  too_much.back() = std::byte{9};
  desk.watch.heard_pong(too_much);
  desk.watch.heard_pong({});
  CHECK(desk.seconds_until_gone(290) == -1);
}

TEST_CASE("a peer that pings has the timeout whatever it has not read") {
  Desk desk;
  desk.watch.waits(true);
  desk.watch.heard_ping();
  desk.watch.sent_message();
  CHECK(desk.seconds_until_gone() == 31);
}

TEST_CASE("what does not read hears nothing, but the kernel's queue tells of a peer that pings") {
  Desk desk;
  desk.watch.heard_ping();
  CHECK(desk.seconds_until_gone() == -1);  // no kernel to ask
  desk.link = net::LinkState{.unread = 100'000};
  CHECK(desk.seconds_until_gone() == -1);  // its ping may wait behind these
  desk.link = net::LinkState{.unread = 100};
  CHECK(desk.seconds_until_gone() == 31);
  CHECK(desk.silence->text() == "nothing heard from the peer for 31 s, though its host answers");
}

TEST_CASE("time in which this process did not run is not held against the peer") {
  Desk desk;
  desk.watch.waits(true);
  CHECK(desk.seconds_until_gone(5) == -1);
  desk.now += 1h;
  CHECK(desk.seconds_until_gone() == 31);
}

TEST_CASE("a host is gone when it does not answer what was sent, and only then") {
  net::LinkWatch watch(30s);
  net::LinkWatch::Clock::time_point now{};
  net::LinkState state;
  const auto seconds_until_gone = [&](int limit) {
    for (int second = 1; second <= limit; ++second) {
      now += 1s;
      state.since_segment += 1s;
      if (const auto silence = watch.look(now, state)) return static_cast<int>(silence->count() / 1000);
    }
    return -1;
  };
  CHECK(seconds_until_gone(600) == -1);  // nothing was sent
  ++state.attempts;
  CHECK(seconds_until_gone(2) == -1);  // its answer may be on the way
  ++state.segments_in;
  state.since_segment = 0s;
  CHECK(seconds_until_gone(600) == -1);  // and came
  // A closed window: probes two minutes apart, each answered.
  for (int probe = 0; probe < 5; ++probe) {
    ++state.segments_in;
    state.since_segment = 0s;
    CHECK(seconds_until_gone(120) == -1);
  }
  ++state.attempts;
  state.since_segment = 0s;
  ++state.segments_in;
  CHECK(seconds_until_gone(10) == -1);
  state.probing = true;
  CHECK(seconds_until_gone(100) == 30);
}
