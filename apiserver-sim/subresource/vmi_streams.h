#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <optional>
#include <string>

#include "apiserver-sim/subresource/vmi_stream.h"
#include "common/net/traffic.h"
#include "kube-sim/http/stream_subresource.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// The subresources that are streams, usbredir, console and vnc: what virt-api does with an authorized request. wire.md
/// sections 10, 12 and 13. Checks first, so that a malformed upgrade never takes a slot on the node; then the handshake
/// is passed on to the node and, once it has answered 101, every byte is, untouched; or the node hands its slot's
/// socket over, and the websocket ends here (bridge/handoff.h). Thread-safe.
class VmiStreams final : public StreamSubresource {
 public:
  VmiStreams(const Store& store, StreamOptions options) : store_(store), options_(options) {}

  [[nodiscard]] bool find(const std::string& method, const RequestInfo& info) const override;
  asio::awaitable<StreamStart> open(net::StreamPtr& client, const http::Head& head, const RequestInfo& info,
                                    std::string leftover, StreamEnds& ends) override;
  /// As kubevirt_usbredir_active_connections counts.
  [[nodiscard]] int active() const override { return active_; }

  /// Bytes that all sessions have carried so far; in the plain way, those of their frames too.
  [[nodiscard]] const net::Traffic& traffic() const { return traffic_; }

 private:
  /// Everything up to the 101: the refusal, or nothing.
  asio::awaitable<std::optional<Response>> connect(VmiStream& session, net::Stream& client, const http::Head& head,
                                                   const RequestInfo& info);

  const Store& store_;
  const StreamOptions options_;
  std::atomic<int> active_ = 0;
  net::Traffic traffic_;
};

}  // namespace usbloop::apiserver
