#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "common/error.h"
#include "common/net/stream.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver {

/// What a node answered to a websocket handshake.
struct NodeAnswer {
  websocket::Head head;
  std::string rest;  ///< 101: stream bytes that came behind the head; else the body, at most 1 KiB
};

/// Sends a handshake with the client's key for `path` to the node and reads the answer.
asio::awaitable<Result<NodeAnswer>> shake_hands_with_node(net::Stream& node, const std::string& path,
                                                          const std::string& key, std::chrono::milliseconds timeout);

}  // namespace usbloop::apiserver
