#include "bench/floor/tls.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace usbloop::bench {
namespace {

[[noreturn]] void tls_failure(const char* what) {
  std::fprintf(stderr, "usbloop-bench-floor: %s: ", what);
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

int read_input(BIO* bio, char* to, int size) {
  auto& input = static_cast<TlsBuffers*>(BIO_get_data(bio))->input;
  BIO_clear_retry_flags(bio);
  if (input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t taken = std::min(input.size(), static_cast<std::size_t>(size));
  std::memcpy(to, input.data(), taken);
  input = input.subspan(taken);
  return static_cast<int>(taken);
}

int write_output(BIO* bio, const char* from, int size) {
  auto& buffers = *static_cast<TlsBuffers*>(BIO_get_data(bio));
  const auto count = static_cast<std::size_t>(size);
  if (buffers.output_room - buffers.output_size < count) tls_failure("the output buffer is too small");
  std::memcpy(buffers.output + buffers.output_size, from, count);
  buffers.output_size += count;
  return size;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* buffer_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bench buffers");
    BIO_meth_set_read(made, read_input);
    BIO_meth_set_write(made, write_output);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return method;
}

SslContextPtr make_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256") != 1) {
    tls_failure("make a context");
  }
  SSL_CTX_set_num_tickets(context.get(), 0);
  return context;
}

}  // namespace

SslContextPtr make_client_context() { return make_context(TLS_client_method()); }

SslContextPtr make_agent_context() {
  SslContextPtr context = make_context(TLS_server_method());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  if (key == nullptr || certificate == nullptr) tls_failure("make a key");
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24L * 60 * 60);
  X509_set_pubkey(certificate, key);
  if (X509_sign(certificate, key, EVP_sha256()) == 0 || SSL_CTX_use_certificate(context.get(), certificate) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key) != 1) {
    tls_failure("make a certificate");
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

SslPtr make_tls(SSL_CTX& context, TlsBuffers& buffers, bool client) {
  SslPtr ssl(SSL_new(&context));
  BIO* bio = BIO_new(buffer_method());
  if (!ssl || bio == nullptr) tls_failure("make a connection");
  BIO_set_data(bio, &buffers);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  if (client) {
    SSL_set_connect_state(ssl.get());
  } else {
    SSL_set_accept_state(ssl.get());
  }
  return ssl;
}

}  // namespace usbloop::bench
