#include "common/websocket/peer_watch.h"

#include <algorithm>

namespace usbloop::websocket {
namespace {

/// With so little unread, the window that the peer sees is open, so a ping of the peer would have come through.
constexpr std::size_t kOpenWindow = std::size_t{16} * 1024;

/// Looks within one timeout.
constexpr int kLooks = 6;

std::chrono::milliseconds interval(std::chrono::milliseconds timeout) {
  return std::max(std::chrono::milliseconds(1), timeout / kLooks);
}

std::chrono::milliseconds whole(PeerWatch::Clock::duration time) {
  return std::chrono::ceil<std::chrono::milliseconds>(time);
}

}  // namespace

std::string PeerWatch::Silence::text() const {
  const auto seconds = time.count() / 1000;
  std::string text = "nothing heard from the peer for " + std::to_string(seconds);
  if (seconds < 10) text += "." + std::to_string(time.count() / 100 % 10);  // shorter than any usual timeout
  return text + (host_answers ? " s, though its host answers" : " s");
}

PeerWatch::PeerWatch(std::chrono::milliseconds timeout, Clock::time_point now)
    : timeout_(timeout), link_watch_(timeout), last_heard_(now), last_look_(now) {}

void PeerWatch::heard_pong(std::span<const std::byte> payload) {
  if (payload.size() != sizeof(PingPayload)) return;  // unasked for, which is allowed and says nothing
  std::uint64_t count = 0;
  for (const std::byte byte : payload) count = count << 8U | std::to_integer<std::uint64_t>(byte);
  if (count <= sent_) read_up_to_ = std::max(read_up_to_, count);
}

PeerWatch::PingPayload PeerWatch::ping_payload() const {
  PingPayload payload{};
  std::uint64_t left = sent_;
  for (auto at = payload.rbegin(); at != payload.rend(); ++at, left >>= 8U) *at = static_cast<std::byte>(left & 0xFFU);
  return payload;
}

std::chrono::milliseconds PeerWatch::patience() const {
  const bool pong_may_wait = !peer_pings_ && read_up_to_ < sent_;
  return timeout_ * (pong_may_wait ? 10 : 1);
}

std::chrono::milliseconds PeerWatch::until_next_look(Clock::time_point now) const {
  const auto left = whole(last_heard_ + timeout_ - now);
  return left > left.zero() ? std::min(left, interval(timeout_)) : interval(timeout_);
}

std::optional<PeerWatch::Silence> PeerWatch::look(Clock::time_point now, const std::optional<net::LinkState>& link) {
  // This process was stopped itself, or had no processor for long: what has come meanwhile has yet to be read.
  const bool overslept = now - last_look_ > 3 * interval(timeout_);
  last_look_ = now;
  if (link) {
    last_heard_ = std::max(last_heard_, now - link->since_payload);
    if (const auto silence = link_watch_.look(now, *link)) return Silence{*silence, false};
  }
  const bool audible = waiting_ || (link && link->unread < kOpenWindow);
  if (!audible || overslept) audible_since_.reset();
  if (!audible) return std::nullopt;
  if (!audible_since_) audible_since_ = now;
  if (now - std::max(last_heard_, *audible_since_) < patience()) return std::nullopt;
  return Silence{std::chrono::duration_cast<std::chrono::milliseconds>(now - last_heard_), link.has_value()};
}

}  // namespace usbloop::websocket
