#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/net/stream.h"

namespace usbloop::websocket {

/// Connects to the API server of `access` by TCP, through its proxy where it has one, and with TLS as it says.
/// `timeout` bounds all of it together.
asio::awaitable<Result<net::StreamPtr>> open_server_stream(kube::ClusterAccess access,
                                                           std::chrono::milliseconds timeout);

/// "host:port" as the Host header wants it.
std::string host_header(const kube::ClusterAccess& access);

}  // namespace usbloop::websocket
