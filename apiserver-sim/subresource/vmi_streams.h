#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "apiserver-sim/subresource/node_handshake.h"
#include "common/net/traffic.h"
#include "common/websocket/channel.h"
#include "kube-sim/http/stream_subresource.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

struct StreamOptions {
  std::chrono::milliseconds node_answer{10'000};  ///< for the node's answer to the handshake
  std::chrono::milliseconds linger{500};          ///< when one end has gone: how long the other may take to finish
  Handoff handoff = Handoff::offer;               ///< take slots' sockets over from nodes on this machine
  websocket::ChannelOptions websocket = {};       ///< of the sessions that end here
};

/// The subresources that are streams, usbredir, console and vnc: what virt-api does with an authorized request. wire.md
/// sections 10, 12 and 13. Checks first, so that a malformed upgrade never takes a slot on the node; then the handshake
/// is passed on to the node and, once it has answered 101, every byte is, untouched; or the node hands its slot's
/// socket over, and the websocket ends here (bridge/handoff.h). Thread-safe.
class VmiStreams final : public StreamSubresource {
 public:
  VmiStreams(const Store& store, StreamOptions options) : store_(store), options_(options) {}

  [[nodiscard]] bool find(const std::string& method, const RequestInfo& info) const override;
  asio::awaitable<std::optional<Response>> serve(net::StreamPtr& client, const http::Head& head,
                                                 const RequestInfo& info, std::string leftover,
                                                 StreamEnds& ends) override;
  /// As kubevirt_usbredir_active_connections counts.
  [[nodiscard]] int active() const override { return active_; }

  /// Bytes that all sessions have carried so far; in the plain way, those of their frames too.
  [[nodiscard]] const net::Traffic& traffic() const { return traffic_; }

 private:
  struct Session;

  asio::awaitable<std::optional<Response>> handle(net::StreamPtr& client, const http::Head& head,
                                                  const RequestInfo& info, std::string leftover, StreamEnds& ends);
  asio::awaitable<void> pass_through(net::Stream& client, net::Stream& node, const Session& session);
  asio::awaitable<void> be_the_end(net::StreamPtr client, net::StreamPtr device, net::Stream& lease,
                                   const Session& session, StreamEnds& ends);

  const Store& store_;
  const StreamOptions options_;
  std::atomic<int> active_ = 0;
  net::Traffic traffic_;
};

}  // namespace usbloop::apiserver
