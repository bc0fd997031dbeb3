#include "e2e/harness/tls_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

bool wait_fd(int fd, short events, const Deadline& deadline) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  return ::poll(&entry, 1, static_cast<int>(deadline.left().count()) + 1) > 0;
}

[[noreturn]] void throw_nothing_came(milliseconds timeout) {
  throw Failure("nothing came for " + std::to_string(timeout.count()) + " ms and the connection stayed open");
}

}  // namespace

std::string Wire::receive_to_end(milliseconds timeout) {
  std::string all;
  const Deadline deadline(timeout);
  while (receive(all, deadline.left())) {
  }
  return all;
}

std::string Wire::receive_through(std::string_view text, milliseconds timeout) {
  std::string all;
  const Deadline deadline(timeout);
  while (all.find(text) == std::string::npos && receive(all, deadline.left())) {
  }
  return all;
}

Fd connect_tcp(const std::string& host, int port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw Failure("connect to port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

bool PlainSocket::send(std::string_view bytes, milliseconds timeout, std::size_t* sent) {
  const Deadline deadline(timeout);
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      if (sent != nullptr) *sent += static_cast<std::size_t>(count);
    } else if (errno != EAGAIN || !wait_fd(fd_.get(), POLLOUT, deadline)) {
      return false;
    }
  }
  return true;
}

bool PlainSocket::receive(std::string& into, milliseconds timeout) {
  const Deadline deadline(timeout);
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(count));
      return true;
    }
    if (count == 0 || errno != EAGAIN) return false;
    if (!wait_fd(fd_.get(), POLLIN, deadline)) throw_nothing_came(timeout);
  }
}

struct TlsSocket::Ssl {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
  Ssl() = default;
  Ssl(const Ssl&) = delete;
  Ssl& operator=(const Ssl&) = delete;
  ~Ssl() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

  struct Result {
    int count;  // above 0: done
    int error;  // SSL_get_error's, where it is not done
    bool waits() const { return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE; }
    short events() const { return error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT; }
  };
  /// One call of OpenSSL. What failed on another connection of the thread stays in the thread's queue of errors, and
  /// SSL_get_error() would take it for this one's: a test with a connection that was closed fails on the next.
  template <typename Call>
  Result run(const Call& call) {
    ERR_clear_error();
    const int count = call(ssl);
    return {.count = count, .error = count > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, count)};
  }
};

TlsSocket::TlsSocket(const std::string& host, int port, const std::filesystem::path& ca_file)
    : fd_(connect_tcp(host, port)), ssl_(std::make_unique<Ssl>()) {
  SSL_CTX_set_verify(ssl_->context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(ssl_->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_load_verify_locations(ssl_->context, ca_file.c_str(), nullptr);
  ssl_->ssl = SSL_new(ssl_->context);
  SSL_set_fd(ssl_->ssl, fd_.get());
  const Deadline deadline(10s);
  while (true) {
    const auto result = ssl_->run([](SSL* ssl) { return SSL_connect(ssl); });
    if (result.count == 1) return;
    if (!result.waits() || deadline.passed()) {
      throw Failure("the TLS handshake with port " + std::to_string(port) + " failed");
    }
    wait_fd(fd_.get(), result.events(), deadline);
  }
}

TlsSocket::~TlsSocket() = default;

void TlsSocket::shutdown_write() {
  ssl_->run([](SSL* ssl) { return SSL_shutdown(ssl); });
  ::shutdown(fd_.get(), SHUT_WR);
}

bool TlsSocket::send(std::string_view bytes, milliseconds timeout, std::size_t* sent) {
  const Deadline deadline(timeout);
  while (!bytes.empty()) {
    const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20));
    const auto result = ssl_->run([&](SSL* ssl) { return SSL_write(ssl, bytes.data(), size); });
    if (result.count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(result.count));
      if (sent != nullptr) *sent += static_cast<std::size_t>(result.count);
      continue;
    }
    if (!result.waits() || !wait_fd(fd_.get(), result.events(), deadline)) return false;
  }
  return true;
}

bool TlsSocket::receive(std::string& into, milliseconds timeout) {
  const Deadline deadline(timeout);
  std::array<char, 65536> buffer;
  while (true) {
    const auto result =
        ssl_->run([&](SSL* ssl) { return SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size())); });
    if (result.count > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(result.count));
      return true;
    }
    if (!result.waits()) return false;
    if (!wait_fd(fd_.get(), result.events(), deadline)) throw_nothing_came(timeout);
  }
}

}  // namespace usbloop::e2e
