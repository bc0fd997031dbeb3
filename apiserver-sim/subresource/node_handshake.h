#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "common/error.h"
#include "common/fd.h"
#include "common/http/head.h"
#include "common/net/stream.h"

namespace usbloop::apiserver {

/// What a node answered to a websocket handshake.
struct NodeAnswer {
  http::Head head;
  std::string rest;  ///< 101: stream bytes that came behind the head; else the body, at most 1 KiB
  Fd device;         ///< the device's socket, when the node has handed it over (bridge/handoff.h)
};

/// Whether to offer the node to take the device's socket over; it is done on unix sockets only.
enum class Handoff { offer, none };

/// Sends a handshake with the client's key for `path` to the node and reads the answer. A node that hands over anything
/// but one socket is an error (kind protocol).
asio::awaitable<Result<NodeAnswer>> shake_hands_with_node(net::Stream& node, std::string path, std::string key,
                                                          Handoff handoff, std::chrono::milliseconds timeout);

}  // namespace usbloop::apiserver
