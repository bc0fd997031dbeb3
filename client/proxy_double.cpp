#include "client/proxy_double.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace usbloop::client::testing {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string take(int socket, std::size_t count) {
  std::string text(count, '\0');
  return ::recv(socket, text.data(), count, MSG_WAITALL) == static_cast<ssize_t>(count) ? text : std::string();
}

void tell(int socket, const std::string& text) {
  static_cast<void>(::send(socket, text.data(), text.size(), MSG_NOSIGNAL));
}

std::uint16_t greet_http(int client) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const auto byte = take(client, 1);
    if (byte.empty()) return 0;
    head += byte;
  }
  const auto colon = head.find(':');
  if (!head.starts_with("CONNECT ") || colon == std::string::npos) return 0;
  tell(client, "HTTP/1.1 200 Fine\r\n\r\n");
  return static_cast<std::uint16_t>(std::atoi(head.c_str() + colon + 1));
}

std::uint16_t greet_socks5(int client) {
  if (take(client, 3) != std::string("\x05\x01\x00", 3)) return 0;
  tell(client, std::string("\x05\x00", 2));
  const auto head = take(client, 5);
  if (head.substr(0, 4) != std::string("\x05\x01\x00\x03", 4)) return 0;
  const auto rest = take(client, static_cast<unsigned char>(head[4]) + 2U);
  if (rest.empty()) return 0;
  tell(client, std::string("\x05\x00\x00\x01\0\0\0\0\0\0", 10));
  const auto high = static_cast<unsigned char>(rest[rest.size() - 2]);
  const auto low = static_cast<unsigned char>(rest[rest.size() - 1]);
  return static_cast<std::uint16_t>(high << 8U | low);
}

void carry(int from, int to) {
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(from, buffer, sizeof buffer, 0)) > 0;) {
    if (::send(to, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
  }
  ::shutdown(to, SHUT_WR);
}

}  // namespace

ProxyDouble::ProxyDouble(kube::Proxy::Kind kind) : kind_(kind) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("the proxy double cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { listen(); });
}

ProxyDouble::~ProxyDouble() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

kube::Proxy ProxyDouble::proxy() const { return {kind_, "127.0.0.1", port_, {}, {}}; }

void ProxyDouble::cut_first() {
  const std::lock_guard lock(mutex_);
  if (!sockets_.empty()) ::shutdown(sockets_.front(), SHUT_RDWR);
}

void ProxyDouble::listen() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(client);
    threads_.emplace_back([this, client] { serve(client); });
  }
}

std::uint16_t ProxyDouble::greet(int client) const {
  return kind_ == kube::Proxy::Kind::socks5 ? greet_socks5(client) : greet_http(client);
}

void ProxyDouble::serve(int client) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(server);
  }
  const auto address = loopback(greet(client));
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::shutdown(client, SHUT_RDWR);
    return;
  }
  ++tunnels_;
  std::thread back([=] { carry(server, client); });
  carry(client, server);
  back.join();
}

}  // namespace usbloop::client::testing
