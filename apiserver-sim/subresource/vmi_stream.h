#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <string>

#include "apiserver-sim/subresource/node_handshake.h"
#include "common/net/traffic.h"
#include "common/websocket/channel.h"
#include "kube-sim/http/stream_subresource.h"

namespace usbloop::apiserver {

struct StreamOptions {
  std::chrono::milliseconds node_answer{10'000};  ///< for the node's answer to the handshake
  std::chrono::milliseconds linger{500};          ///< when one end has gone: how long the other may take to finish
  Handoff handoff = Handoff::offer;               ///< take slots' sockets over from nodes on this machine
  websocket::ChannelOptions websocket = {};       ///< of the sessions that end here
};

/// What all streams of a server have in common. Outlives them.
struct StreamShare {
  const StreamOptions& options;
  net::Traffic& traffic;
  std::atomic<int>& active;  ///< counts up while a stream lives
};

/// One stream of a VMI, from its request to its end. Belongs to the thread of its client's stream.
class VmiStream final : public OpenStream {
 public:
  /// `name` is for the log: "console default/demo". `leftover`: what the client has sent behind its request.
  VmiStream(StreamShare share, std::string name, net::StreamPtr& client, std::string leftover, StreamEnds& ends);
  ~VmiStream() override;
  VmiStream(const VmiStream&) = delete;
  VmiStream& operator=(const VmiStream&) = delete;

  /// The connection to the node, which whoever cuts the stream knows from here on.
  void use_node(net::StreamPtr node);
  [[nodiscard]] net::Stream& node() { return *node_; }
  /// The device's socket, which the node has handed over: the websocket ends here.
  void use_device(net::StreamPtr device) { device_ = std::move(device); }
  /// The client has gone before it was answered.
  void lose_client() { client_lost_ = true; }

  asio::awaitable<void> run() override;

 private:
  asio::awaitable<void> pass_through();
  asio::awaitable<void> be_the_end();

  const StreamShare share_;
  const std::string name_;
  net::StreamPtr& client_;
  std::string leftover_;
  StreamEnds& ends_;
  net::StreamPtr node_;
  net::StreamPtr device_;
  bool client_lost_ = false;
};

}  // namespace usbloop::apiserver
