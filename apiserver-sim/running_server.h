#pragma once

#include <doctest/doctest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>

#include "apiserver-sim/server.h"
#include "apiserver-sim/test_support.h"
#include "common/fd.h"
#include "common/kube/kubeconfig.h"

// A server in this process for tests, and the two ways to ask it: a client, and a connection on which a test sends what
// it likes.
namespace usbloop::apiserver::test {

inline Options options_in(const TemporaryDirectory& dir) {
  Options options;
  options.data_dir = dir / "data";
  options.kubeconfig = dir / "admin.kubeconfig";
  options.node_kubeconfig = dir / "node.kubeconfig";
  return options;
}

inline std::unique_ptr<ApiServer> start(const Options& options, const Limits& limits = {}) {
  auto server = ApiServer::start(options, limits);
  REQUIRE_MESSAGE(server.has_value(), (server ? "" : server.error().message()));
  return std::move(*server);
}

inline std::unique_ptr<ApiServer> start(const TemporaryDirectory& dir, const Limits& limits = {}) {
  return start(options_in(dir), limits);
}

inline kube::ClusterAccess access_of(const TemporaryDirectory& dir, const char* file = "admin.kubeconfig") {
  auto access = kube::load_kubeconfig({dir / file}, "");
  REQUIRE(access.has_value());
  return std::move(*access);
}

inline std::unique_ptr<httplib::SSLClient> client(const TemporaryDirectory& dir,
                                                  const char* file = "admin.kubeconfig") {
  const auto access = access_of(dir, file);
  auto made = std::make_unique<httplib::SSLClient>(access.host, access.port);
  made->set_ca_cert_path((dir / "data/pki/ca.crt").c_str());
  made->enable_server_certificate_verification(true);
  made->set_default_headers({{"Authorization", "Bearer " + access.token}});
  made->set_read_timeout(std::chrono::seconds(20));
  return made;
}

inline Fd connect_tcp(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

/// A TLS connection on which a test sends what it likes.
class RawTls {
 public:
  explicit RawTls(const kube::ClusterAccess& access) : context_(SSL_CTX_new(TLS_client_method())) {
    fd_ = connect_tcp(access.port);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
    REQUIRE(SSL_connect(ssl_.get()) == 1);
  }

  void send(const std::string& text) { SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); }

  /// Reads until the text ends with `end`, or to the end of the stream.
  std::string read_until(const std::string& end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) || end.empty()) {
      pollfd entry{fd_.get(), POLLIN, 0};
      if (SSL_pending(ssl_.get()) == 0 && ::poll(&entry, 1, 20'000) <= 0) return text + " (no answer in time)";
      if (SSL_read(ssl_.get(), &c, 1) <= 0) break;
      text += c;
    }
    return text;
  }

  /// Has the kernel hold little of what this end does not read.
  void take_little() {
    const int bytes = 65'536;
    REQUIRE(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
  }

  /// So many bytes, or fewer at the end of the stream.
  std::string read_exactly(std::size_t count) {
    std::string text(count, '\0');
    std::size_t come = 0;
    while (come < count) {
      pollfd entry{fd_.get(), POLLIN, 0};
      if (SSL_pending(ssl_.get()) == 0 && ::poll(&entry, 1, 20'000) <= 0) break;
      const int got = SSL_read(ssl_.get(), text.data() + come, static_cast<int>(count - come));
      if (got <= 0) break;
      come += static_cast<std::size_t>(got);
    }
    return text.substr(0, come);
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  Fd fd_;
  std::unique_ptr<SSL, Free> ssl_;
};

inline std::string head(const kube::ClusterAccess& access, const std::string& line, const std::string& more = {}) {
  return line + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + access.token + "\r\n" + more + "\r\n";
}

}  // namespace usbloop::apiserver::test
