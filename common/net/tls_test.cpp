#include "common/net/tls.h"

#include <doctest/doctest.h>

#include <asio/experimental/awaitable_operators.hpp>

#include "common/net/test_support.h"
#include "common/net/tls_test_support.h"

using namespace usbloop;
using namespace usbloop::net;
using namespace usbloop::net::test;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;

namespace {

struct Handshake {
  asio::io_context loop;
  Result<StreamPtr> server;
  Result<StreamPtr> client;

  Handshake(const TlsContext& server_context, const TlsContext& client_context, const std::string& name) {
    auto [a, b] = stream_pair(loop);
    std::tie(server, client) = run(loop, both(server_context, client_context, std::move(a), std::move(b), name));
  }

 private:
  static asio::awaitable<std::tuple<Result<StreamPtr>, Result<StreamPtr>>> both(const TlsContext& server_context,
                                                                                const TlsContext& client_context,
                                                                                StreamPtr a, StreamPtr b,
                                                                                std::string name) {
    co_return co_await (tls_accept(server_context, std::move(a), 5s) &&
                        tls_connect(client_context, std::move(b), std::move(name), 5s));
  }
};

}  // namespace

TEST_CASE("a certificate is trusted for its DNS names and addresses, and for no other") {
  const auto server = server_context();
  const auto client = TlsContext::client(localhost().certificate, true).value();
  CHECK(Handshake(server, client, "localhost").client.has_value());
  CHECK(Handshake(server, client, "127.0.0.1").client.has_value());
  for (const char* name : {"example.org", "127.0.0.2"}) {
    const Handshake refused(server, client, name);
    REQUIRE_FALSE(refused.client.has_value());
    CHECK(refused.client.error().kind == ErrorKind::denied);
    CHECK(refused.client.error().cause.find("not trusted") != std::string::npos);
  }
}

TEST_CASE("an unknown authority is refused unless verification is off") {
  const auto server = server_context();
  const auto other = self_signed("other", "DNS:localhost");
  const auto strict = TlsContext::client(other.certificate, true).value();
  const Handshake refused(server, strict, "localhost");
  REQUIRE_FALSE(refused.client.has_value());
  CHECK(refused.client.error().kind == ErrorKind::denied);
  const auto lax = TlsContext::client({}, false).value();
  CHECK(Handshake(server, lax, "localhost").client.has_value());
}

TEST_CASE("a client certificate names its user and groups") {
  const auto person = self_signed("jane", "DNS:jane");
  const auto server = server_context(person.certificate);
  const auto client = TlsContext::client(localhost().certificate, true, person.certificate, person.key).value();
  const Handshake shaken(server, client, "localhost");
  REQUIRE(shaken.server.has_value());
  const auto identity = peer_identity(**shaken.server);
  CHECK(identity.common_name == "jane");
  CHECK(identity.organizations == std::vector<std::string>{"first", "second"});
}

TEST_CASE("without a client certificate there is no identity") {
  const auto server = server_context(localhost().certificate);
  const auto client = TlsContext::client(localhost().certificate, true).value();
  const Handshake shaken(server, client, "localhost");
  REQUIRE(shaken.server.has_value());
  CHECK(peer_identity(**shaken.server).common_name.empty());
}

TEST_CASE("large data passes through TLS unchanged, with ends of stream") {
  Handshake shaken(server_context(), TlsContext::client(localhost().certificate, true).value(), "localhost");
  REQUIRE(shaken.server.has_value());
  REQUIRE(shaken.client.has_value());
  const auto data = random_bytes(3'000'000);
  const auto send = [&]() -> asio::awaitable<bool> {
    const auto sent = co_await (*shaken.client)->write_all(data);
    (*shaken.client)->shutdown_write();
    co_return sent.has_value();
  };
  const auto task = [&]() -> asio::awaitable<bool> {
    auto [sent, got] = co_await (send() && read_to_end(**shaken.server));
    co_return sent&& got == data;
  };
  CHECK(run(shaken.loop, task()));
}

TEST_CASE("records that came together are all read, though nothing more comes, into a buffer of any size") {
  for (const std::size_t room : {std::size_t{1}, std::size_t{100}, std::size_t{64 * 1024}}) {
    CAPTURE(room);
    Handshake shaken(server_context(), TlsContext::client(localhost().certificate, true).value(), "localhost");
    REQUIRE(shaken.server.has_value());
    REQUIRE(shaken.client.has_value());
    const auto data = random_bytes(900);
    const auto task = [&]() -> asio::awaitable<bool> {
      for (std::size_t at = 0; at < data.size(); at += 300) {
        const auto sent = co_await (*shaken.client)->write_all(std::span(data).subspan(at, 300));
        if (!sent) co_return false;
      }
      std::vector<std::byte> got;
      std::vector<std::byte> buffer(room);
      while (got.size() < data.size()) {
        const auto count = co_await (*shaken.server)->read_some(buffer);
        if (!count || *count == 0) co_return false;
        got.insert(got.end(), buffer.begin(), buffer.begin() + std::ptrdiff_t(*count));
      }
      co_return got == data;
    };
    CHECK(run(shaken.loop, task(), 5s));
  }
}

TEST_CASE("a peer that does not speak TLS ends the handshake") {
  asio::io_context loop;
  auto [a, b] = stream_pair(loop);
  const auto context = server_context();
  const auto task = [&]() -> asio::awaitable<bool> {
    (void)co_await b->write_all(random_bytes(500));
    co_return !(co_await tls_accept(context, std::move(a), 5s)).has_value();
  };
  CHECK(run(loop, task()));
}

TEST_CASE("a peer that says nothing is given up in time") {
  asio::io_context loop;
  auto [a, b] = stream_pair(loop);
  const auto context = server_context();
  const auto result = run(loop, tls_accept(context, std::move(a), 50ms));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::timeout);
}

TEST_CASE("keys and certificates that are none are refused with their name") {
  CHECK_FALSE(TlsContext::server("junk", localhost().key).has_value());
  CHECK_FALSE(TlsContext::server(localhost().certificate, "junk").has_value());
  CHECK_FALSE(TlsContext::server(localhost().certificate, self_signed("x", "DNS:x").key).has_value());
  CHECK_FALSE(TlsContext::client("junk", true).has_value());
}
