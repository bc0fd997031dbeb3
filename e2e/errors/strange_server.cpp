#include "e2e/errors/strange_server.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

template <typename Type, void (*free_it)(Type*)>
struct Freed {
  void operator()(Type* object) const { free_it(object); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>>;
using ConnectionPtr = std::unique_ptr<SSL, Freed<SSL, SSL_free>>;

/// Nothing when the listener is shut down first.
Fd accept_one_of(const LocalPort& port) { return Fd(::accept4(port.listener().get(), nullptr, nullptr, SOCK_CLOEXEC)); }

void shake_hands(const LocalPort& port, const net::test::Pem& pem) {
  const ContextPtr context(SSL_CTX_new(TLS_server_method()));
  const std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> certificate(BIO_new_mem_buf(pem.certificate.data(), -1));
  const std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> key(BIO_new_mem_buf(pem.key.data(), -1));
  const std::unique_ptr<X509, Freed<X509, X509_free>> read(
      PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>> secret(
      PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(context.get(), read.get());
  SSL_CTX_use_PrivateKey(context.get(), secret.get());
  const Fd peer = accept_one_of(port);
  if (!peer) return;
  const ConnectionPtr connection(SSL_new(context.get()));
  SSL_set_fd(connection.get(), peer.get());
  SSL_accept(connection.get());  // the client does not trust it, and goes
}

void answer_once(const LocalPort& port, const std::string& text) {
  const Fd peer = accept_one_of(port);
  char bytes[4096];
  if (!peer || ::recv(peer.get(), bytes, sizeof bytes, 0) <= 0) return;
  static_cast<void>(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL));
  ::shutdown(peer.get(), SHUT_WR);
  while (::recv(peer.get(), bytes, sizeof bytes, 0) > 0) {  // a reset would overtake the answer
  }
}

}  // namespace

LocalPort::LocalPort() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  constexpr int kBacklog = 8;
  if (::bind(listener_.get(), name, size) != 0 || ::listen(listener_.get(), kBacklog) != 0 ||
      ::getsockname(listener_.get(), name, &size) != 0) {
    throw Failure("cannot listen on 127.0.0.1");
  }
  number_ = ntohs(address.sin_port);
}

OneAnswer::OneAnswer(std::string text) : thread_([this, text = std::move(text)] { answer_once(port_, text); }) {}

OneAnswer::~OneAnswer() {
  ::shutdown(port_.listener().get(), SHUT_RDWR);
  thread_.join();
}

OneHandshake::OneHandshake(const net::test::Pem& pem) : thread_([this, pem] { shake_hands(port_, pem); }) {}

OneHandshake::~OneHandshake() {
  ::shutdown(port_.listener().get(), SHUT_RDWR);
  thread_.join();
}

}  // namespace usbloop::e2e
