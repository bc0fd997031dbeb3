#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "common/net/stream.h"

namespace usbloop::websocket {

struct RoundTripOptions {
  /// One time below this settles it: the way is short.
  std::chrono::microseconds long_way{5000};
  /// How many pings a long way is asked with: a machine that is busy now may take its time for one of them.
  int pings = 6;
  /// For all of them together.
  std::chrono::milliseconds patience{1000};
};

/// How long a ping takes to the far end of an open websocket and back: the shortest time of a few. The kernel's own
/// measure (net::LinkState) knows the way to the next proxy only. Nothing when no pong comes in time.
///
/// For the client's end, between the handshake and the Channel. `came`: what of the stream has been read behind the
/// handshake; what is read meanwhile is added to it, whole, for the Channel.
asio::awaitable<std::optional<std::chrono::microseconds>> measure_round_trip(net::Stream& stream,
                                                                             std::vector<std::byte>& came,
                                                                             RoundTripOptions options);

}  // namespace usbloop::websocket
