#include "common/websocket/server_stream.h"

#include <doctest/doctest.h>

#include <asio/experimental/awaitable_operators.hpp>

#include "common/net/listener.h"
#include "common/net/test_support.h"
#include "common/net/tls_test_support.h"

// The road to a server through a proxy that is at the other end of a real socket.

using namespace usbloop;
using namespace usbloop::websocket;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using net::test::random_bytes;

namespace {

const net::test::Pem& inner_server() {
  static const net::test::Pem kPem = net::test::self_signed("inside", "DNS:inside.invalid");
  return kPem;
}

/// Access to https://inside.invalid:6443 through a proxy at `port`.
kube::ClusterAccess access_through(std::uint16_t port, bool tls_proxy) {
  kube::ClusterAccess access;
  access.host = "inside.invalid";
  access.port = 6443;
  access.ca_pem = net::test::localhost().certificate + inner_server().certificate;
  access.proxy = {kube::Proxy::Kind::http, "127.0.0.1", port, "", "", tls_proxy};
  return access;
}

std::unique_ptr<net::Listener> listen(asio::io_context& loop) {
  auto opened = net::test::run(loop, net::Listener::open({"127.0.0.1", 0, {}}, net::Listener::For::us));
  REQUIRE(opened);
  return std::move(*opened);
}

asio::awaitable<std::string> read_head(net::Stream& stream) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char letter = 0;
    const auto got = co_await stream.read_some(std::as_writable_bytes(std::span(&letter, 1)));
    if (!got || *got == 0) break;
    head += letter;
  }
  co_return head;
}

/// All bytes that come are sent back, to the end.
asio::awaitable<void> echo(net::Stream& stream) {
  std::vector<std::byte> buffer(20'000);
  while (true) {
    const auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) break;
    const auto part = std::span<const std::byte>(buffer).first(*got);
    const auto sent = co_await stream.write_all(part);
    if (!sent) break;
  }
  stream.shutdown_write();
}

}  // namespace

TEST_CASE("TLS to the server goes through TLS to the proxy, both ways, in pieces of all sizes") {
  asio::io_context loop;
  const auto listener = listen(loop);
  const auto bytes = random_bytes(3'000'000, 7);
  std::string asked;
  const auto proxy = [&]() -> asio::awaitable<bool> {
    auto plain = co_await listener->accept();
    REQUIRE(plain);
    const auto outer_context = net::test::server_context();
    auto outer = co_await net::tls_accept(outer_context, std::move(*plain), 5s);
    REQUIRE(outer);
    asked = co_await read_head(**outer);
    const std::string fine = "HTTP/1.1 200 OK\r\n\r\n";
    const auto answered = co_await (*outer)->write_all(std::as_bytes(std::span(fine)));
    REQUIRE(answered);
    const auto inner_context = net::TlsContext::server(inner_server().certificate, inner_server().key);
    REQUIRE(inner_context);
    auto inner = co_await net::tls_accept(*inner_context, std::move(*outer), 5s);
    REQUIRE(inner);
    co_await echo(**inner);
    co_return true;
  };
  std::vector<std::byte> back;
  const auto client = [&]() -> asio::awaitable<bool> {
    const auto access = access_through(listener->address().port, true);
    const auto stream = co_await open_server_stream(access, 10s);
    REQUIRE_MESSAGE(stream, stream.error().message());
    const auto sending = [&]() -> asio::awaitable<bool> {
      for (std::size_t begin = 0, size = 1; begin < bytes.size(); begin += size, size = size * 3 + 1) {
        size = std::min(size, bytes.size() - begin);
        const auto part = std::span<const std::byte>(bytes).subspan(begin, size);
        const auto sent = co_await (*stream)->write_all(part);
        REQUIRE(sent);
      }
      co_return true;
    };
    const auto reading = [&]() -> asio::awaitable<bool> {
      std::vector<std::byte> buffer(70'000);
      while (back.size() < bytes.size()) {
        const auto got = co_await (*stream)->read_some(buffer);
        REQUIRE(got);
        REQUIRE(*got > 0);
        back.insert(back.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
      }
      co_return true;
    };
    co_await (sending() && reading());
    (*stream)->shutdown_write();
    (*stream)->close();
    co_return true;
  };
  const auto both = [&]() -> asio::awaitable<bool> {
    co_await (proxy() && client());
    co_return true;
  };
  CHECK(net::test::run(loop, both()));
  CHECK(back == bytes);
  CHECK(asked == "CONNECT inside.invalid:6443 HTTP/1.1\r\nHost: inside.invalid:6443\r\n\r\n");
}

TEST_CASE("a proxy whose certificate nobody vouches for is refused, and gets no word") {
  asio::io_context loop;
  const auto listener = listen(loop);
  std::optional<Error> refused;
  bool shook_hands = true;
  const auto both = [&]() -> asio::awaitable<bool> {
    const auto proxy = [&]() -> asio::awaitable<bool> {
      auto plain = co_await listener->accept();
      REQUIRE(plain);
      const auto context = net::test::server_context();
      const auto outer = co_await net::tls_accept(context, std::move(*plain), 5s);
      if (!outer) {
        shook_hands = false;
        co_return true;
      }
      const auto heard = co_await read_head(**outer);
      shook_hands = !heard.empty();
      co_return true;
    };
    const auto client = [&]() -> asio::awaitable<bool> {
      auto access = access_through(listener->address().port, true);
      access.ca_pem = inner_server().certificate;
      const auto stream = co_await open_server_stream(access, 5s);
      if (!stream) refused = stream.error();
      co_return true;
    };
    co_await (proxy() && client());
    co_return true;
  };
  CHECK(net::test::run(loop, both()));
  REQUIRE(refused);
  CHECK(refused->kind == ErrorKind::denied);
  CHECK(refused->operation == "agree on TLS with the proxy");
  CHECK(refused->object == "https://127.0.0.1:" + std::to_string(listener->address().port));
  CHECK_FALSE(shook_hands);
}

TEST_CASE("a proxy that never answers is given up in time, with TLS and without") {
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    asio::io_context loop;
    const auto listener = listen(loop);  // the kernel takes the connection, and nobody reads
    const auto begin = std::chrono::steady_clock::now();
    const auto access = access_through(listener->address().port, tls);
    const auto stream = net::test::run(loop, open_server_stream(access, 300ms));
    REQUIRE_FALSE(stream);
    CHECK(stream.error().kind == ErrorKind::timeout);
    CHECK(stream.error().operation == (tls ? "agree on TLS with the proxy" : "go through the proxy"));
    CHECK(stream.error().cause == "no answer in time");
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= 300ms);
    CHECK(took < 10s);
  }
}
