#include "common/net/tls.h"

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <asio/experimental/awaitable_operators.hpp>

#include "common/net/test_support.h"

using namespace usbloop;
using namespace usbloop::net;
using namespace usbloop::net::test;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;

namespace {

struct Pem {
  std::string certificate;
  std::string key;
};

template <typename Write>
std::string to_pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// A self-signed certificate for the names, for example "DNS:localhost,IP:127.0.0.1".
Pem self_signed(const char* common_name, const char* names) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_NAME* subject = X509_get_subject_name(cert.get());
  const auto add = [&](const char* field, const char* value) {
    X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value), -1, -1, 0);
  };
  add("CN", common_name);
  add("O", "first");
  add("O", "second");
  X509_set_issuer_name(cert.get(), subject);
  X509_set_pubkey(cert.get(), key.get());
  for (const auto& [nid, value] : {std::pair{NID_subject_alt_name, names}, {NID_basic_constraints, "CA:TRUE"}}) {
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, nid, value), X509_EXTENSION_free);
    X509_add_ext(cert.get(), extension.get(), -1);
  }
  X509_sign(cert.get(), key.get(), EVP_sha256());
  return {to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, cert.get()); }),
          to_pem([&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

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

const Pem& localhost() {
  static const Pem pem = self_signed("server", "DNS:localhost,IP:127.0.0.1");
  return pem;
}

TlsContext server_context(const std::string& client_ca = {}) {
  return TlsContext::server(localhost().certificate, localhost().key, client_ca).value();
}

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
