#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "apiserver-sim/api/http_types.h"
#include "apiserver-sim/api/request_info.h"
#include "apiserver-sim/store/store.h"
#include "common/net/stream.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver {

/// Times of the relay, so that tests need not wait.
struct RelayTimes {
  std::chrono::milliseconds node_answer{10'000};  ///< for the node's answer to the handshake
  std::chrono::milliseconds linger{500};          ///< one end has gone: the other one's time to finish
};

/// The node's end of a relay, for whoever has to cut it. Null while there is none.
struct RelayPeer {
  net::Stream* node = nullptr;
};

/// The usbredir subresource: what virt-api does with an authorized request. wire.md sections 10, 12 and 13.
/// Checks first, so that a malformed upgrade never takes a slot on the node; then the handshake is passed on to the
/// node and, once it has answered 101, every byte is, untouched. Thread-safe.
class UsbredirRelay {
 public:
  UsbredirRelay(const Store& store, RelayTimes times) : store_(store), times_(times) {}

  /// Serves one request on the client's stream; `leftover`: bytes that came behind its head. Answers the refusal that
  /// is still to be sent, or nothing when the connection is used up.
  asio::awaitable<std::optional<Response>> serve(net::Stream& client, const websocket::Head& head,
                                                 const RequestInfo& info, std::string leftover, RelayPeer& peer);

  /// Requests in the handler now, those that will be refused included (as kubevirt_usbredir_active_connections).
  [[nodiscard]] int active() const { return active_; }

 private:
  asio::awaitable<std::optional<Response>> handle(net::Stream& client, const websocket::Head& head,
                                                  const RequestInfo& info, std::string leftover, RelayPeer& peer);

  const Store& store_;
  RelayTimes times_;
  std::atomic<int> active_ = 0;
};

}  // namespace usbloop::apiserver
