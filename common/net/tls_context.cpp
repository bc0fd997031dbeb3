#include <openssl/err.h>
#include <openssl/ssl.h>

#include <csignal>

#include "common/net/tls.h"
#include "common/net/tls_error.h"
#include "common/pem.h"

namespace usbloop::net {
namespace {

Result<> use_certificate(SSL_CTX* context, const std::string& cert_pem, const std::string& key_pem) {
  const auto certificates = pem::reader(cert_pem);
  const auto leaf = pem::next_certificate(certificates.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return tls_error("read", "the TLS certificate");
  while (const auto intermediate = pem::next_certificate(certificates.get())) {
    if (SSL_CTX_add1_chain_cert(context, intermediate.get()) != 1) return tls_error("use", "the TLS certificate chain");
  }
  ERR_clear_error();  // the loop ends with "no start line"

  const auto key = pem::private_key(key_pem);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return tls_error("read", "the TLS private key");
  if (SSL_CTX_check_private_key(context) != 1) return tls_error("use", "the TLS key with its certificate");
  return {};
}

Result<> add_authorities(SSL_CTX* context, const std::string& ca_pem) {
  const auto bio = pem::reader(ca_pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (const auto authority = pem::next_certificate(bio.get())) {
    if (X509_STORE_add_cert(store, authority.get()) != 1) return tls_error("use", "the certificate authority");
    SSL_CTX_add_client_CA(context, authority.get());
    ++count;
  }
  if (count == 0) return tls_error("read", "the certificate authority");
  ERR_clear_error();
  return {};
}

void apply_common_settings(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Moving buffers: our writers retry from wherever the bytes lie by then. No partial writes: a write would end after
  // each record, and all its records are to leave together. Released buffers: thousands of idle connections keep none.
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Go servers and killed peers end without close_notify, and the layers above frame their messages themselves.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  // The shorter key comes first: it is strong enough, and measured the cheapest.
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
}

using ContextPtr = std::unique_ptr<SSL_CTX, SslCtxDeleter>;

Result<ContextPtr> new_context(const SSL_METHOD* method) {
  std::signal(SIGPIPE, SIG_IGN);
  ContextPtr context(SSL_CTX_new(method));
  if (!context) return tls_error("set up", "TLS");
  apply_common_settings(context.get());
  return context;
}

}  // namespace

void SslCtxDeleter::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

Result<TlsContext> TlsContext::server(const std::string& cert_pem, const std::string& key_pem,
                                      const std::string& client_ca_pem) {
  auto context = new_context(TLS_server_method());
  if (!context) return tl::unexpected(context.error());
  SSL_CTX* raw = context->get();
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // No client of ours resumes a session, nor do those written in Go; each connection would keep a second copy of its
  // own.
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  if (auto used = use_certificate(raw, cert_pem, key_pem); !used) return tl::unexpected(used.error());
  if (!client_ca_pem.empty()) {
    if (auto added = add_authorities(raw, client_ca_pem); !added) return tl::unexpected(added.error());
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    static constexpr unsigned char kSessionId[] = "usbloop";  // needed to resume sessions with client certificates
    SSL_CTX_set_session_id_context(raw, kSessionId, sizeof(kSessionId) - 1);
  }
  return TlsContext(context->release());
}

Result<TlsContext> TlsContext::client(const std::string& ca_pem, bool verify, const std::string& cert_pem,
                                      const std::string& key_pem) {
  auto context = new_context(TLS_client_method());
  if (!context) return tl::unexpected(context.error());
  SSL_CTX* raw = context->get();
  SSL_CTX_set_verify(raw, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (verify && ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(raw);
  } else if (verify) {
    if (auto added = add_authorities(raw, ca_pem); !added) return tl::unexpected(added.error());
  }
  if (!cert_pem.empty()) {
    if (auto used = use_certificate(raw, cert_pem, key_pem); !used) return tl::unexpected(used.error());
  }
  return TlsContext(context->release());
}

}  // namespace usbloop::net
