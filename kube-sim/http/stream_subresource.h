#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>

#include "common/http/head.h"
#include "common/net/stream.h"
#include "common/websocket/channel.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"

namespace usbloop::apiserver {

/// What a stream works with, for whoever has to cut it. Null while there is none.
struct StreamEnds {
  net::Stream* node = nullptr;
  websocket::Channel* client = nullptr;  ///< where the client's websocket ends in this process
  void cut() const {
    if (node != nullptr) node->close();
    if (client != nullptr) client->abort();
  }
};

/// The subresources whose requests become streams: a websocket that lives as long as both its ends want it.
/// Thread-safe.
class StreamSubresource {
 public:
  virtual ~StreamSubresource() = default;

  /// Whether the request is for one of the streams.
  [[nodiscard]] virtual bool find(const std::string& method, const RequestInfo& info) const = 0;

  /// Serves one authorized request on the client's stream; `leftover`: bytes that came behind its head. Answers the
  /// refusal that is still to be sent, or nothing when the connection is used up; `client` may be null then.
  virtual asio::awaitable<std::optional<Response>> serve(net::StreamPtr& client, const http::Head& head,
                                                         const RequestInfo& info, std::string leftover,
                                                         StreamEnds& ends) = 0;

  /// Requests that are being served now, those that will be refused included.
  [[nodiscard]] virtual int active() const = 0;
};

}  // namespace usbloop::apiserver
