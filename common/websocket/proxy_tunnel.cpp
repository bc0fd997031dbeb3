#include "common/websocket/proxy_tunnel.h"

#include <array>
#include <span>

#include "common/http/answer.h"
#include "common/kube/encoding.h"

namespace usbloop::websocket {
namespace {

tl::unexpected<Error> no_tunnel(const kube::Proxy& proxy, ErrorKind kind, std::string cause) {
  const std::string whence =
      "It is the one of proxy-url in the kubeconfig, else of HTTPS_PROXY; NO_PROXY names servers that need none.";
  const bool wants_login = kind == ErrorKind::denied;
  return make_error(kind, "go through the proxy", proxy.url(), std::move(cause),
                    wants_login ? "Write them into its address, scheme://USER:PASSWORD@HOST:PORT. " + whence : whence);
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

asio::awaitable<Result<>> connect_http(net::Stream& stream, const kube::Proxy& proxy, const std::string& host,
                                       std::uint16_t port) {
  const std::string place =
      (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  std::string request = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n";
  if (!proxy.username.empty()) {
    request += "Proxy-Authorization: Basic " + kube::base64_encode(proxy.username + ":" + proxy.password) + "\r\n";
  }
  request += "\r\n";
  if (auto sent = co_await stream.write_all(bytes_of(request)); !sent) {
    co_return no_tunnel(proxy, sent.error().kind, sent.error().cause);
  }
  const auto answer = co_await http::read_answer(http::reader_of(stream));
  if (!answer) co_return no_tunnel(proxy, answer.error().kind, answer.error().cause);
  const int status = answer->head.status;
  if (status == 407) co_return no_tunnel(proxy, ErrorKind::denied, "it wants another user or password (407)");
  if (status < 200 || status > 299) {
    co_return no_tunnel(proxy, ErrorKind::unavailable, "it refuses " + place + " with " + std::to_string(status));
  }
  if (!answer->rest.empty()) co_return no_tunnel(proxy, ErrorKind::protocol, "it talks before the server");
  co_return Result<>();
}

/// Reads exactly as many bytes as the buffer holds.
asio::awaitable<Result<>> read_exactly(net::Stream& stream, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const auto got = co_await stream.read_some(buffer);
    if (!got) co_return tl::unexpected(got.error());
    if (*got == 0)
      co_return make_error(ErrorKind::unavailable, "read", "the proxy's answer", "the connection was closed");
    buffer = buffer.subspan(*got);
  }
  co_return Result<>();
}

constexpr std::byte kSocks5{5};
constexpr std::byte kNoLogin{0};
constexpr std::byte kLogin{2};
constexpr std::byte kNoneOfThem{0xff};

/// The method that the proxy chooses (RFC 1928 section 3), and the log-in if it is that one (RFC 1929).
asio::awaitable<Result<>> greet_socks(net::Stream& stream, const kube::Proxy& proxy) {
  const bool has_login = !proxy.username.empty();
  const std::string greeting = has_login ? std::string("\x05\x02\x00\x02", 4) : std::string("\x05\x01\x00", 3);
  if (auto sent = co_await stream.write_all(bytes_of(greeting)); !sent) {
    co_return no_tunnel(proxy, sent.error().kind, sent.error().cause);
  }
  std::array<std::byte, 2> answer{};
  if (auto read = co_await read_exactly(stream, answer); !read) {
    co_return no_tunnel(proxy, read.error().kind, read.error().cause);
  }
  if (answer[0] != kSocks5) co_return no_tunnel(proxy, ErrorKind::protocol, "it does not speak SOCKS 5");
  if (answer[1] == kNoLogin) co_return Result<>();
  if (answer[1] == kNoneOfThem || (answer[1] == kLogin && !has_login)) {
    co_return no_tunnel(proxy, ErrorKind::denied, "it wants a user and a password");
  }
  if (answer[1] != kLogin) co_return no_tunnel(proxy, ErrorKind::protocol, "it wants a log-in that was not offered");
  const std::string login = std::string("\x01") + static_cast<char>(proxy.username.size()) + proxy.username +
                            static_cast<char>(proxy.password.size()) + proxy.password;
  if (auto sent = co_await stream.write_all(bytes_of(login)); !sent) {
    co_return no_tunnel(proxy, sent.error().kind, sent.error().cause);
  }
  if (auto read = co_await read_exactly(stream, answer); !read) {
    co_return no_tunnel(proxy, read.error().kind, read.error().cause);
  }
  if (answer[1] != std::byte{0}) co_return no_tunnel(proxy, ErrorKind::denied, "it refuses the user or the password");
  co_return Result<>();
}

std::string socks_failure(std::byte code) {
  constexpr const char* kTexts[] = {"",
                                    "it failed",
                                    "its rules forbid the server",
                                    "the server's network is unreachable from it",
                                    "the server is unreachable from it",
                                    "the server refuses the connection",
                                    "the connection took too long",
                                    "it knows no CONNECT",
                                    "it cannot look up names"};
  const auto index = std::to_integer<std::size_t>(code);
  return index < std::size(kTexts) ? kTexts[index] : "it refuses with " + std::to_string(index);
}

asio::awaitable<Result<>> connect_socks(net::Stream& stream, const kube::Proxy& proxy, const std::string& host,
                                        std::uint16_t port) {
  constexpr std::size_t kLongestName = 255;
  if (host.size() > kLongestName) co_return no_tunnel(proxy, ErrorKind::invalid, "the server's name is too long");
  auto greeted = co_await greet_socks(stream, proxy);
  if (!greeted) co_return greeted;
  // Always by name: a proxy takes an address in this form too, and what we cannot look up it may.
  const std::string request = std::string("\x05\x01\x00\x03", 4) + static_cast<char>(host.size()) + host +
                              static_cast<char>(port >> 8U) + static_cast<char>(port & 0xffU);
  if (auto sent = co_await stream.write_all(bytes_of(request)); !sent) {
    co_return no_tunnel(proxy, sent.error().kind, sent.error().cause);
  }
  std::array<std::byte, 5> head{};  // version, result, reserved, kind of address, its first byte
  if (auto read = co_await read_exactly(stream, head); !read) {
    co_return no_tunnel(proxy, read.error().kind, read.error().cause);
  }
  if (head[0] != kSocks5) co_return no_tunnel(proxy, ErrorKind::protocol, "it does not speak SOCKS 5");
  if (head[1] != std::byte{0}) co_return no_tunnel(proxy, ErrorKind::unavailable, socks_failure(head[1]));
  std::size_t left = 0;  // of the bound address and its port
  switch (std::to_integer<int>(head[3])) {
    case 1: left = 4 - 1 + 2; break;
    case 3: left = std::to_integer<std::size_t>(head[4]) + 2; break;
    case 4: left = 16 - 1 + 2; break;
    default: co_return no_tunnel(proxy, ErrorKind::protocol, "its answer has an unknown kind of address");
  }
  std::array<std::byte, 257> address{};
  if (auto read = co_await read_exactly(stream, std::span(address).first(left)); !read) {
    co_return no_tunnel(proxy, read.error().kind, read.error().cause);
  }
  co_return Result<>();
}

}  // namespace

asio::awaitable<Result<>> open_tunnel(net::Stream& stream, const kube::Proxy& proxy, std::string host,
                                      std::uint16_t port) {
  if (proxy.kind == kube::Proxy::Kind::socks5) co_return co_await connect_socks(stream, proxy, host, port);
  co_return co_await connect_http(stream, proxy, host, port);
}

}  // namespace usbloop::websocket
