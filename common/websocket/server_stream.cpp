#include "common/websocket/server_stream.h"

#include <algorithm>

#include "common/net/deadline.h"
#include "common/net/tls.h"
#include "common/websocket/proxy_tunnel.h"

namespace usbloop::websocket {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Never zero: a deadline that has passed fails at once.
std::chrono::milliseconds time_left(SteadyClock::time_point end) {
  return std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now()));
}

asio::awaitable<Result<net::StreamPtr>> connect_through(const kube::ClusterAccess& access,
                                                        SteadyClock::time_point end) {
  const kube::Proxy& proxy = access.proxy;
  auto stream = co_await net::connect_tcp(proxy.host, proxy.port, time_left(end));
  if (!stream) {
    co_return make_error(stream.error().kind, "reach the proxy", proxy.url(), stream.error().cause,
                         "It is the one of proxy-url in the kubeconfig, else of HTTPS_PROXY.");
  }
  if (proxy.tls) {
    // As for kubectl: what vouches for the server vouches for its proxy.
    const auto context = net::TlsContext::client(access.ca_pem, !access.insecure_skip_tls_verify);
    if (!context) co_return tl::unexpected(context.error());
    stream = co_await net::tls_connect(*context, std::move(*stream), proxy.host, time_left(end));
    if (!stream) {
      co_return make_error(stream.error().kind, "agree on TLS with the proxy", proxy.url(), stream.error().cause,
                           "Its certificate is checked as the server's is: against the certificate-authority of the "
                           "kubeconfig, else the system's.");
    }
  }
  const net::Deadline deadline((*stream)->socket().get_executor(), time_left(end),
                               [raw = stream->get()] { raw->close(); });
  const auto tunnel = co_await open_tunnel(**stream, proxy, access.host, access.port);
  if (!tunnel && deadline.expired()) {
    co_return make_error(ErrorKind::timeout, "go through the proxy", proxy.url(), "no answer in time");
  }
  if (!tunnel) co_return tl::unexpected(tunnel.error());
  co_return std::move(*stream);
}

}  // namespace

asio::awaitable<Result<net::StreamPtr>> open_server_stream(kube::ClusterAccess access,
                                                           std::chrono::milliseconds timeout) {
  const auto end = SteadyClock::now() + timeout;
  Result<net::StreamPtr> stream;
  if (access.proxy) {
    stream = co_await connect_through(access, end);
  } else {
    stream = co_await net::connect_tcp(access.host, access.port, timeout);
  }
  if (!stream || !access.tls) co_return stream;
  const auto context = net::TlsContext::client(access.ca_pem, !access.insecure_skip_tls_verify, access.client_cert_pem,
                                               access.client_key_pem);
  if (!context) co_return tl::unexpected(context.error());
  const std::string& name = access.tls_server_name.empty() ? access.host : access.tls_server_name;
  co_return co_await net::tls_connect(*context, std::move(*stream), name, time_left(end));
}

std::string host_header(const kube::ClusterAccess& access) {
  const bool ipv6 = access.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + access.host + "]" : access.host) + ":" + std::to_string(access.port);
}

}  // namespace usbloop::websocket
