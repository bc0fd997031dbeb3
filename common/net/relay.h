#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>

#include "common/error.h"
#include "common/net/stream.h"
#include "common/net/traffic.h"

namespace usbloop::net {

struct RelayCounts {
  std::uint64_t first_to_second = 0;  ///< bytes
  std::uint64_t second_to_first = 0;  ///< bytes
};

/// Passes bytes untouched between two streams until both directions have ended. One end's end of stream is passed on
/// after all its bytes; when the other direction then stays open for longer than `linger`, both are closed. A broken
/// stream closes both. Memory is bounded: a reader that stops stops the other side's reading. `traffic` counts along:
/// the first stream is the client's.
asio::awaitable<RelayCounts> relay(Stream& first, Stream& second, std::chrono::milliseconds linger, Traffic& traffic);

}  // namespace usbloop::net
