#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "common/error.h"
#include "common/kube/proxy.h"
#include "common/net/stream.h"

namespace usbloop::websocket {

/// Asks the proxy at the other end of `stream` for a connection to the server. Afterwards the stream is the server's.
/// The caller bounds the time. Errors: denied (the proxy wants other credentials), unavailable (it does not reach the
/// server), protocol.
asio::awaitable<Result<>> open_tunnel(net::Stream& stream, const kube::Proxy& proxy, std::string host,
                                      std::uint16_t port);

}  // namespace usbloop::websocket
