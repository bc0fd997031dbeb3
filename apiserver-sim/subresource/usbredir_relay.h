#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "apiserver-sim/api/http_types.h"
#include "apiserver-sim/api/request_info.h"
#include "apiserver-sim/store/store.h"
#include "apiserver-sim/subresource/node_handshake.h"
#include "common/net/stream.h"
#include "common/net/traffic.h"
#include "common/websocket/channel.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver {

struct RelayOptions {
  std::chrono::milliseconds node_answer{10'000};  ///< for the node's answer to the handshake
  std::chrono::milliseconds linger{500};          ///< one end has gone: the other one's time to finish
  Handoff handoff = Handoff::offer;               ///< take slots' sockets over from nodes on this machine
  websocket::ChannelOptions websocket = {};       ///< of the sessions that end here
};

/// What a relay works with, for whoever has to cut it. Null while there is none.
struct RelayPeer {
  net::Stream* node = nullptr;
  websocket::Channel* client = nullptr;  ///< after a handoff: this end of the client's websocket
  void cut() const;
};

/// The subresources that are streams, usbredir, console and vnc: what virt-api does with an authorized request. wire.md
/// sections 10, 12 and 13. Checks first, so that a malformed upgrade never takes a slot on the node; then the handshake
/// is passed on to the node and, once it has answered 101, every byte is, untouched; or the node hands its slot's
/// socket over, and the websocket ends here (bridge/handoff.h). Thread-safe.
class UsbredirRelay {
 public:
  UsbredirRelay(const Store& store, RelayOptions options) : store_(store), options_(options) {}

  /// Serves one request on the client's stream; `leftover`: bytes that came behind its head. Answers the refusal that
  /// is still to be sent, or nothing when the connection is used up; `client` may be null then.
  asio::awaitable<std::optional<Response>> serve(net::StreamPtr& client, const websocket::Head& head,
                                                 const RequestInfo& info, std::string leftover, RelayPeer& peer);

  /// Requests in the handler now, those that will be refused included (as kubevirt_usbredir_active_connections).
  [[nodiscard]] int active() const { return active_; }

  /// Bytes that all sessions have carried so far; in the plain way, those of their frames too.
  [[nodiscard]] const net::Traffic& traffic() const { return traffic_; }

 private:
  struct Session;

  asio::awaitable<std::optional<Response>> handle(net::StreamPtr& client, const websocket::Head& head,
                                                  const RequestInfo& info, std::string leftover, RelayPeer& peer);
  asio::awaitable<void> pass_through(net::Stream& client, net::Stream& node, const Session& session);
  asio::awaitable<void> be_the_end(net::StreamPtr client, net::StreamPtr device, net::Stream& lease,
                                   const Session& session, RelayPeer& peer);

  const Store& store_;
  const RelayOptions options_;
  std::atomic<int> active_ = 0;
  net::Traffic traffic_;
};

}  // namespace usbloop::apiserver
