#include "kube-sim/documents/health.h"

#include <doctest/doctest.h>

using namespace usbloop::apiserver;

namespace {

Response ask(const Health& health, const std::string& target) {
  const auto parsed = parse_target(target);
  REQUIRE(parsed);
  Request request;
  request.method = "GET";
  request.path = parsed->path;
  request.query = parsed->query;
  return health.answer(request).value();
}

/// A server whose store can fail.
struct Server {
  bool store_fine = true;
  Health health;
  Server() {
    health.add({"etcd", [this]() -> usbloop::Result<> {
                  if (store_fine) return {};
                  return usbloop::make_error(usbloop::ErrorKind::internal, "write", "the database", "disk full");
                }});
    health.add({"shutdown", [] { return usbloop::Result<>(); }, true});
  }
};

}  // namespace

TEST_CASE("a healthy server says ok, and what it looked at when asked") {
  const Server server;
  for (const char* path : {"/healthz", "/livez", "/readyz", "/readyz/etcd", "/livez/ping"}) {
    CHECK(ask(server.health, path).code == 200);
    CHECK(ask(server.health, path).body == "ok");
  }
  CHECK(ask(server.health, "/livez?verbose").body == "[+]ping ok\n[+]etcd ok\nlivez check passed\n");
  CHECK(ask(server.health, "/readyz?verbose").body == "[+]ping ok\n[+]etcd ok\n[+]shutdown ok\nreadyz check passed\n");
  CHECK(ask(server.health, "/livez/shutdown").code == 404);
  CHECK(ask(server.health, "/readyz/nothing").code == 404);
}

TEST_CASE("a check that fails is told without its reason, with 500") {
  Server server;
  server.store_fine = false;
  const Response response = ask(server.health, "/readyz");
  CHECK(response.code == 500);
  CHECK(response.body == "[+]ping ok\n[-]etcd failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n");
  CHECK(ask(server.health, "/livez/ping").code == 200);
  CHECK(ask(server.health, "/livez/etcd").code == 500);
}

TEST_CASE("checks can be left out") {
  Server server;
  server.store_fine = false;
  CHECK(ask(server.health, "/readyz?exclude=etcd").body == "ok");
  CHECK(ask(server.health, "/livez?verbose&exclude=etcd&exclude=moon").body ==
        "[+]ping ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "
        "\"moon\"\nlivez check passed\n");
}

TEST_CASE("other paths are none of its business") {
  const Health health;
  for (const char* path : {"/", "/healthzz", "/api", "/metrics"}) {
    CHECK_FALSE(health.answer({"GET", path, {}, "", "", "", {}}).has_value());
  }
}
