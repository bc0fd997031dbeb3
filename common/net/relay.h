#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>

#include "common/error.h"
#include "common/net/stream.h"
#include "common/net/traffic.h"

namespace usbloop::net {

struct RelayCounts {
  std::uint64_t first_to_second = 0;  ///< bytes
  std::uint64_t second_to_first = 0;  ///< bytes
  /// The relay ended because nothing had come from the host of an end for this long.
  std::optional<std::chrono::milliseconds> silence;
};

struct RelayOptions {
  std::chrono::milliseconds linger;  ///< one direction has ended: the other one's time to do so
  /// A TCP end whose host does not answer for this long has vanished (link_state.h); unix sockets end by themselves.
  std::chrono::milliseconds peer_timeout{30'000};
};

/// Passes bytes untouched between two streams until both directions have ended. One end's end of stream is passed on
/// after all its bytes; when the other direction then stays open for longer than `linger`, both are closed. A stream
/// that breaks is one that ends: what had come from it before is passed on. An end that has vanished closes both.
/// Memory is bounded: a reader that stops stops the other side's reading. `traffic` counts along: the first stream is
/// the client's.
asio::awaitable<RelayCounts> relay(Stream& first, Stream& second, RelayOptions options, Traffic& traffic);

}  // namespace usbloop::net
