#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>

namespace usbloop::bench {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;
using SslContextPtr = std::unique_ptr<SSL_CTX, SslDeleter>;

/// TLS 1.3 with AES-128-GCM and nothing else; the agent makes a certificate for itself, the client takes any: the floor
/// measures the road, not the handshake.
SslContextPtr make_client_context();
SslContextPtr make_agent_context();

/// Bytes on their way into or out of libssl. One of each in a process: what libssl reads from `input` was received in
/// one system call, and what it writes is sent in one.
struct TlsBuffers {
  std::span<const std::byte> input;
  std::byte* output = nullptr;
  std::size_t output_size = 0;
  std::size_t output_room = 0;
};

/// An end of TLS over the buffers, without a socket.
SslPtr make_tls(SSL_CTX& context, TlsBuffers& buffers, bool client);

}  // namespace usbloop::bench
