#include "common/websocket/proxy_tunnel.h"

#include <doctest/doctest.h>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>

#include "common/net/test_support.h"

// The proxy is a script: what it has to hear, and what it answers to that.

using namespace usbloop;
using namespace usbloop::websocket;
using asio::experimental::awaitable_operators::operator&&;
using kube::Proxy;

namespace {

struct Turn {
  std::string heard;
  std::string answer;
};

/// Plays the turns; false when something else was heard.
asio::awaitable<bool> play(net::Stream& stream, std::vector<Turn> turns) {
  for (const Turn& turn : turns) {
    std::string heard(turn.heard.size(), '\0');
    std::size_t have = 0;
    while (have < heard.size()) {
      const auto got = co_await stream.read_some(std::as_writable_bytes(std::span(heard)).subspan(have));
      if (!got || *got == 0) co_return false;
      have += *got;
    }
    if (heard != turn.heard) co_return false;
    const auto sent = co_await stream.write_all(std::as_bytes(std::span(turn.answer)));
    if (!sent) co_return false;
  }
  stream.shutdown_write();
  co_return true;
}

/// The outcome of a tunnel to the server h:6443.
Result<> tunnel(const Proxy& proxy, std::vector<Turn> turns) {
  asio::io_context loop;
  auto [near, far] = net::test::stream_pair(loop);
  const auto both = [&]() -> asio::awaitable<Result<>> {
    auto [opened, played] = co_await (open_tunnel(*near, proxy, "h", 6443) && play(*far, std::move(turns)));
    CHECK(played);
    co_return opened;
  };
  return net::test::run(loop, both());
}

Proxy proxy_of(Proxy::Kind kind, const std::string& username = {}, const std::string& password = {}) {
  return {kind, "p", 1, username, password};
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

constexpr const char* kConnect = "CONNECT h:6443 HTTP/1.1\r\nHost: h:6443\r\n";
const std::string kHello = bytes({5, 1, 0});
const std::string kAsk = bytes({5, 1, 0, 3, 1}) + "h" + bytes({0x19, 0x2b});  // 6443

}  // namespace

TEST_CASE("an HTTP proxy is asked to CONNECT, with the user where there is one") {
  const std::string fine = "HTTP/1.1 200 Connection established\r\n\r\n";
  CHECK(tunnel(proxy_of(Proxy::Kind::http), {{std::string(kConnect) + "\r\n", fine}}));
  CHECK(tunnel(proxy_of(Proxy::Kind::http, "me", "secret"),
               {{std::string(kConnect) + "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n", fine}}));
}

TEST_CASE("what an HTTP proxy refuses is told") {
  const auto refused = [](const std::string& answer) {
    const auto opened = tunnel(proxy_of(Proxy::Kind::http), {{std::string(kConnect) + "\r\n", answer}});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().operation == "go through the proxy");
    CHECK(opened.error().object == "http://p:1");
    return opened.error();
  };
  CHECK(refused("HTTP/1.1 407 No\r\n\r\n").kind == ErrorKind::denied);
  CHECK(refused("HTTP/1.1 403 No\r\n\r\n").cause == "it refuses h:6443 with 403");
  CHECK(refused("HTTP/1.1 200 Fine\r\n\r\nhello").kind == ErrorKind::protocol);
  CHECK(refused("what is this\r\n\r\n").kind == ErrorKind::protocol);
  CHECK(refused("HTTP/1.1 200").kind == ErrorKind::unavailable);
}

TEST_CASE("a SOCKS proxy is asked by name, and its answer is read to its last byte, whatever address it tells") {
  const auto asks = [](const std::string& bound) {
    return tunnel(proxy_of(Proxy::Kind::socks5), {{kHello, bytes({5, 0})}, {kAsk, bytes({5, 0, 0}) + bound}});
  };
  CHECK(asks(bytes({1, 127, 0, 0, 1, 4, 5})));
  CHECK(asks(bytes({3, 2}) + "ab" + bytes({4, 5})));
  CHECK(asks(bytes({4}) + std::string(18, 'x')));
  CHECK(asks(bytes({7, 1, 2, 3, 4, 5, 6})).error().kind == ErrorKind::protocol);
  CHECK(asks(bytes({1, 127, 0})).error().kind == ErrorKind::unavailable);  // cut off
}

TEST_CASE("a SOCKS proxy gets the user and the password") {
  const std::string hello = bytes({5, 2, 0, 2});
  const std::string login = bytes({1, 2}) + "me" + bytes({6}) + "secret";
  const auto proxy = proxy_of(Proxy::Kind::socks5, "me", "secret");
  const std::string bound = bytes({5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  CHECK(tunnel(proxy, {{hello, bytes({5, 2})}, {login, bytes({1, 0})}, {kAsk, bound}}));
  CHECK(tunnel(proxy, {{hello, bytes({5, 0})}, {kAsk, bound}}));
  CHECK(tunnel(proxy, {{hello, bytes({5, 2})}, {login, bytes({1, 1})}}).error().kind == ErrorKind::denied);
  CHECK(tunnel(proxy, {{hello, bytes({5, 255})}}).error().kind == ErrorKind::denied);
}

TEST_CASE("what a SOCKS proxy refuses is told") {
  const auto refused = [](std::vector<Turn> turns) {
    const auto opened = tunnel(proxy_of(Proxy::Kind::socks5), std::move(turns));
    REQUIRE_FALSE(opened);
    return opened.error();
  };
  CHECK(refused({{kHello, bytes({5, 2})}}).kind == ErrorKind::denied);
  CHECK(refused({{kHello, bytes({4, 0})}}).cause == "it does not speak SOCKS 5");
  CHECK(refused({{kHello, bytes({5, 9})}}).kind == ErrorKind::protocol);
  CHECK(refused({{kHello, bytes({5, 0})}, {kAsk, bytes({5, 5, 0, 1, 0, 0, 0, 0, 0, 0})}}).cause ==
        "the server refuses the connection");
  CHECK(refused({{kHello, bytes({5, 0})}, {kAsk, bytes({5, 99, 0, 1, 0, 0, 0, 0, 0, 0})}}).cause ==
        "it refuses with 99");
}
