#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>

#include "common/error.h"
#include "common/net/stream.h"
#include "device-sim/options.h"

namespace usbloop::device_sim {

/// Listens on `address`, tells `say` where in one line, and takes the first connection; then it listens no longer. A
/// unix socket nobody listens on any more is replaced, and its name is removed in the end.
asio::awaitable<Result<net::StreamPtr>> accept_one(Address address, bool keepalive,
                                                   std::function<void(const std::string&)> say);

}  // namespace usbloop::device_sim
