#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>

#include "common/error.h"
#include "common/net/stream.h"
#include "device-sim/options.h"

namespace usbloop::device_sim {

/// Listens on `address`, calls `say` with one line about where, takes the first connection, and then stops listening. A
/// unix socket that nobody listens on is replaced, and its name is removed in the end.
asio::awaitable<Result<net::StreamPtr>> accept_one(Address address, bool keepalive,
                                                   std::function<void(const std::string&)> say);

}  // namespace usbloop::device_sim
