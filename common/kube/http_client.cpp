#include "common/kube/http_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <utility>

#include "common/pem.h"

namespace usbloop::kube {
namespace {

struct StoreDeleter {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using StorePtr = std::unique_ptr<X509_STORE, StoreDeleter>;

tl::unexpected<Error> pem_error(const ClusterAccess& access, const char* what) {
  ERR_clear_error();
  return make_error(ErrorKind::invalid, "connect to", access.url(), std::string(what) + " of the kubeconfig is no PEM");
}

/// All certificates of the text; null when there is none.
StorePtr authorities(const std::string& text) {
  StorePtr store(X509_STORE_new());
  const auto bio = pem::reader(text);
  int count = 0;
  while (const auto certificate = pem::next_certificate(bio.get())) {
    count += X509_STORE_add_cert(store.get(), certificate.get());
  }
  ERR_clear_error();  // the end of the text is an error to the reader
  return count > 0 ? std::move(store) : nullptr;
}

/// httplib adds the system's authorities to any store that it gets, which would trust them too and takes a third of a
/// second. It does not do so when it has a folder of authorities, and the folder need not exist.
void trust_only(httplib::SSLClient& client, X509_STORE& store) {
  SSL_CTX_set1_verify_cert_store(client.ssl_context(), &store);
  client.set_ca_cert_path("", "/nonexistent");
}

Result<std::unique_ptr<httplib::ClientImpl>> make_tls_client(const ClusterAccess& access) {
  const std::string& name = access.tls_server_name.empty() ? access.host : access.tls_server_name;
  std::unique_ptr<httplib::SSLClient> client;
  if (access.client_cert_pem.empty()) {
    client = std::make_unique<httplib::SSLClient>(name, access.port);
  } else {
    const auto certificate = pem::next_certificate(pem::reader(access.client_cert_pem).get());
    if (!certificate) return pem_error(access, "the client certificate");
    const auto key = pem::private_key(access.client_key_pem);
    if (!key) return pem_error(access, "the client key");
    client = std::make_unique<httplib::SSLClient>(name, access.port, certificate.get(), key.get());
  }
  if (!client->is_valid()) return pem_error(access, "the client certificate and key");
  if (!access.ca_pem.empty()) {
    const StorePtr store = authorities(access.ca_pem);
    if (!store) return pem_error(access, "the certificate authority");
    trust_only(*client, *store);
  }
  client->enable_server_certificate_verification(!access.insecure_skip_tls_verify);
  // The certificate is checked against the name the client was made with; the address comes from this map.
  if (name != access.host) client->set_hostname_addr_map({{name, access.host}});
  return client;
}

/// A server that vanishes without a word is noticed in about 25 s even while a watch has nothing to say.
void keep_alive(socket_t socket) {
  const auto set = [socket](int level, int option, int value) {
    static_cast<void>(::setsockopt(socket, level, option, &value, sizeof value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace

Result<std::unique_ptr<httplib::ClientImpl>> make_http_client(const ClusterAccess& access,
                                                              std::chrono::milliseconds connect_timeout,
                                                              std::chrono::milliseconds silence) {
  std::unique_ptr<httplib::ClientImpl> client;
  if (access.tls) {
    auto made = make_tls_client(access);
    if (!made) return tl::unexpected(made.error());
    client = std::move(*made);
  } else {
    client = std::make_unique<httplib::ClientImpl>(access.host, access.port);
  }
  const auto split = [](std::chrono::milliseconds time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return std::pair(static_cast<time_t>(seconds.count()),
                     static_cast<time_t>(std::chrono::microseconds(time - seconds).count()));
  };
  const auto [connect_seconds, connect_microseconds] = split(connect_timeout);
  const auto [seconds, microseconds] = split(silence);
  client->set_connection_timeout(connect_seconds, connect_microseconds);
  client->set_write_timeout(connect_seconds, connect_microseconds);
  client->set_read_timeout(seconds, microseconds);
  client->set_socket_options(keep_alive);
  client->set_tcp_nodelay(true);
  client->set_decompress(false);
  return client;
}

std::string to_text(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection: return "no connection";
    case httplib::Error::ConnectionTimeout: return "no connection in time";
    case httplib::Error::Read: return "the connection ended or stayed silent within the answer";
    case httplib::Error::Write: return "the connection ended while we were writing";
    case httplib::Error::Canceled: return "given up on our side";
    case httplib::Error::SSLConnection: return "TLS handshake failed";
    case httplib::Error::SSLLoadingCerts: return "the certificate authorities cannot be loaded";
    case httplib::Error::SSLServerVerification:
      return "the server's certificate is not signed by the authority of the kubeconfig, or not for this name";
    default: return httplib::to_string(error);
  }
}

}  // namespace usbloop::kube
