#pragma once

#include <asio/awaitable.hpp>
#include <memory>
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

/// A stream whose request has been answered with 101. It outlives the frames of its request, which a stream that is
/// idle for days need not hold.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  /// Carries its bytes until its end. What it was opened with must live until then: the client's stream and the ends.
  virtual asio::awaitable<void> run() = 0;
};

/// What opening a stream has come to.
struct StreamStart {
  std::optional<Response> refusal;     ///< still to be sent
  std::unique_ptr<OpenStream> stream;  ///< null beside a refusal
};

/// The subresources whose requests become streams: a websocket that lives as long as both its ends want it.
/// Thread-safe.
class StreamSubresource {
 public:
  virtual ~StreamSubresource() = default;

  /// Whether the request is for one of the streams.
  [[nodiscard]] virtual bool find(const std::string& method, const RequestInfo& info) const = 0;

  /// Answers one authorized request on the client's stream; `leftover`: bytes that came behind its head. A stream that
  /// starts uses the connection up; `client` may be null when it has run.
  virtual asio::awaitable<StreamStart> open(net::StreamPtr& client, const http::Head& head, const RequestInfo& info,
                                            std::string leftover, StreamEnds& ends) = 0;

  /// Requests that are being served now, those that will be refused included.
  [[nodiscard]] virtual int active() const = 0;
};

}  // namespace usbloop::apiserver
