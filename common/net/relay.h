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
  std::chrono::milliseconds linger;  ///< when one direction has ended: how long the other one may take
  /// A TCP end whose host does not answer for this long has vanished (link_state.h); unix sockets end by themselves.
  std::chrono::milliseconds peer_timeout{30'000};
};

/// Passes bytes untouched between two streams until both directions have ended. When one end's stream ends or breaks,
/// the bytes that came before are passed on, and then the end. When the other direction stays open for longer than
/// `linger` after that, both streams are closed. An end that has vanished closes both at once. Memory is bounded: a
/// reader that stops also stops the other side's reading. `traffic` counts along; the first stream is the client's.
asio::awaitable<RelayCounts> relay(Stream& first, Stream& second, RelayOptions options, Traffic& traffic);

}  // namespace usbloop::net
