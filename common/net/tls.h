#pragma once

#include <openssl/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/net/stream.h"

namespace usbloop::net {

struct SslCtxDeleter {
  void operator()(SSL_CTX* context) const;
};

/// Settings shared by many connections: certificates, authorities, versions (TLS 1.2 and newer). Thread-safe once made.
/// Making one has this process ignore SIGPIPE, so writing to a peer that has gone is an ordinary error.
class TlsContext {
 public:
  /// `client_ca_pem` empty: no client certificate is asked for. Otherwise client certificates are optional and
  /// verified.
  static Result<TlsContext> server(const std::string& cert_pem, const std::string& key_pem,
                                   const std::string& client_ca_pem = {});
  /// `ca_pem` empty: the system's authorities. A client certificate is optional.
  static Result<TlsContext> client(const std::string& ca_pem, bool verify, const std::string& cert_pem = {},
                                   const std::string& key_pem = {});
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  explicit TlsContext(SSL_CTX* context) : context_(context) {}
  std::unique_ptr<SSL_CTX, SslCtxDeleter> context_;
};

/// Runs the server's handshake on `stream` (a plain stream) and returns the TLS stream. Times out with `timeout`.
asio::awaitable<Result<StreamPtr>> tls_accept(const TlsContext& context, StreamPtr stream,
                                              std::chrono::milliseconds timeout);

/// Runs the client's handshake and verifies the certificate against `server_name` (a DNS name or an IP address).
/// `stream` is a plain stream, or a TLS stream to a proxy.
asio::awaitable<Result<StreamPtr>> tls_connect(const TlsContext& context, StreamPtr stream, std::string server_name,
                                               std::chrono::milliseconds timeout);

/// Subject of the verified client certificate as "CN" and the "O" values; empty CN when there is none.
struct PeerIdentity {
  std::string common_name;
  std::vector<std::string> organizations;
};
PeerIdentity peer_identity(const Stream& stream);

}  // namespace usbloop::net
