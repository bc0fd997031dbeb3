#include "apiserver-sim/golden/asking.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace usbloop::apiserver::golden {
namespace {

constexpr int kPatience = 30'000;  ///< milliseconds

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// A blocking TLS connection.
class Tls {
 public:
  explicit Tls(const kube::ClusterAccess& access)
      : context_(SSL_CTX_new(TLS_client_method())),
        fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        ssl_(SSL_new(context_.get())) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(access.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SSL_set_fd(ssl_.get(), fd_.get());
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        SSL_connect(ssl_.get()) != 1) {
      throw std::runtime_error("cannot connect to the server");
    }
  }

  void send(const std::string& bytes) { SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())); }

  /// Appends what comes next; false at the end.
  bool receive(std::string& text) {
    pollfd entry{fd_.get(), POLLIN, 0};
    if (SSL_pending(ssl_.get()) == 0 && ::poll(&entry, 1, kPatience) <= 0) throw std::runtime_error("no answer");
    std::array<char, 16384> buffer{};
    const int count = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

 private:
  std::unique_ptr<SSL_CTX, Free> context_;
  Fd fd_;
  std::unique_ptr<SSL, Free> ssl_;
};

Answer parse_head(const std::string& head) {
  Answer answer;
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::string line = head.substr(at, end - at);
    at = end + 2;
    const auto colon = line.find(": ");
    if (answer.status_line.empty()) {
      answer.status_line = line;
    } else if (colon != std::string::npos) {
      answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
  }
  return answer;
}

/// The content of a body in chunks; throws when it is broken.
std::string unchunked(const std::string& wire) {
  std::string body;
  for (std::size_t at = 0;;) {
    const std::size_t line = wire.find("\r\n", at);
    if (line == std::string::npos) throw std::runtime_error("a broken chunk");
    const std::size_t size = std::strtoul(wire.substr(at, line - at).c_str(), nullptr, 16);
    if (size == 0) return body;
    body += wire.substr(line + 2, size);
    at = line + 2 + size + 2;
  }
}

}  // namespace

Answer ask(const kube::ClusterAccess& access, const std::string& request) {
  Tls tls(access);
  tls.send(request);
  std::string text;
  while (text.find("\r\n\r\n") == std::string::npos) {
    if (!tls.receive(text)) throw std::runtime_error("the server closed without an answer");
  }
  const std::size_t head = text.find("\r\n\r\n") + 4;
  Answer answer = parse_head(text.substr(0, head - 2));
  text.erase(0, head);
  if (answer.code() == 101 || request.starts_with("HEAD ")) return answer;
  if (answer.header("Transfer-Encoding") == "chunked") {
    while (!text.ends_with("0\r\n\r\n") && tls.receive(text)) {
    }
    answer.body = unchunked(text);
    return answer;
  }
  const std::size_t length = std::strtoul(answer.header("Content-Length").c_str(), nullptr, 10);
  while (text.size() < length && tls.receive(text)) {
  }
  answer.body = std::move(text);
  return answer;
}

FixedNode::FixedNode(const std::string& path) : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 16) != 0) {
    throw std::runtime_error("cannot listen at " + path);
  }
  thread_ = std::thread([this] { serve(); });
}

FixedNode::~FixedNode() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
  thread_.join();
}

void FixedNode::set_answer(std::string bytes) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(bytes);
}

void FixedNode::serve() {
  while (true) {
    const Fd client(::accept(listener_.get(), nullptr, nullptr));
    if (!client) return;
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    const std::lock_guard lock(mutex_);
    static_cast<void>(::send(client.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL));
  }
}

}  // namespace usbloop::apiserver::golden
