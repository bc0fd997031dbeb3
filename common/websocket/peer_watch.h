#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/net/link_state.h"

namespace usbloop::websocket {

/// Tells a peer that has vanished from one that only does not read. Pure: it is told what happens and when.
///
/// A peer is gone when nothing has come from it for `timeout`, and one of these holds.
///
/// (1) Its host should have answered what was sent: the link is cut, or the host is down. This works on TCP, in every
/// state of the traffic, whether we read or not.
///
/// (2) The peer itself should have spoken, and we would have heard it: its process is stopped. A peer should speak when
/// it sends pings of its own (our ends do, whatever they wait for), or when it has read all that we had sent before the
/// ping that it does not answer. A peer without pings that has not read all our data may have stopped reading because
/// its device has. It gets ten times as long, as long as its host answers.
///
/// One case cannot be told: when the peer's words have to wait behind data that we do not read. Such a peer has time
/// without end, as long as its host answers.
class PeerWatch {
 public:
  using Clock = std::chrono::steady_clock;
  using PingPayload = std::array<std::byte, 8>;

  struct Silence {
    std::chrono::milliseconds time;  ///< since anything came from the peer
    bool host_answers;               ///< its process is silent, not its host
    /// "nothing heard from the peer for 31 s"
    [[nodiscard]] std::string text() const;
  };

  PeerWatch(std::chrono::milliseconds timeout, Clock::time_point now);

  void heard(Clock::time_point now) { last_heard_ = now; }
  /// Whether a read waits for the peer now.
  void waits(bool waiting) { waiting_ = waiting; }
  void heard_ping() { peer_pings_ = true; }
  /// A pong whose payload was one of ping_payload() says how much the peer has read.
  void heard_pong(std::span<const std::byte> payload);
  void sent_message() { ++sent_; }
  /// For a ping that is sent now.
  [[nodiscard]] PingPayload ping_payload() const;

  [[nodiscard]] Clock::time_point last_heard() const { return last_heard_; }

  /// When to look next.
  [[nodiscard]] std::chrono::milliseconds until_next_look(Clock::time_point now) const;
  /// Something when the peer is gone. `link`: where the stream is TCP.
  std::optional<Silence> look(Clock::time_point now, const std::optional<net::LinkState>& link);

 private:
  /// The longest silence of a peer that could have been heard.
  [[nodiscard]] std::chrono::milliseconds patience() const;

  std::chrono::milliseconds timeout_;
  net::LinkWatch link_watch_;
  Clock::time_point last_heard_;
  Clock::time_point last_look_;
  std::optional<Clock::time_point> audible_since_;  ///< since then we would have heard the peer
  bool waiting_ = false;
  bool peer_pings_ = false;
  std::uint64_t sent_ = 0;        ///< messages
  std::uint64_t read_up_to_ = 0;  ///< how many of them the peer has read, as its pongs say
};

}  // namespace usbloop::websocket
