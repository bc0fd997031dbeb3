#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/websocket/channel.h"

namespace usbloop::websocket {

/// An HTTP answer that was not the 101 we asked for.
struct Refusal {
  int status = 0;
  std::string content_type;
  std::string body;  ///< at most 64 KiB
};

/// The outcome of opening a websocket: a channel or the server's refusal.
struct Opened {
  std::unique_ptr<Channel> channel;  ///< null when refused
  Refusal refusal;
  /// There and back, when it was asked for: to the websocket's far end, or to a proxy on the way where that alone is
  /// long already. Nothing when nobody answers.
  std::optional<std::chrono::microseconds> round_trip;
};

/// Connects to the API server of `access` (TCP, TLS as it says), and asks for a websocket on `path` ("/apis/…", the
/// server's path prefix is put before it). `timeout` bounds all of it together: the look-up, the
/// connection, TLS and the answer to its last byte. With `long_way`, the round trip is measured too: by pings of a
/// second at most, unless the kernel says that it is that long.
asio::awaitable<Result<Opened>> connect(const kube::ClusterAccess& access, std::string path, ChannelOptions options,
                                        std::chrono::milliseconds timeout,
                                        std::optional<std::chrono::microseconds> long_way = std::nullopt);

}  // namespace usbloop::websocket
