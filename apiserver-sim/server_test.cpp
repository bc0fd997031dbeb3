// The whole server in this process, asked over TLS: the front door, its limits, and its end.
#include "apiserver-sim/server.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "apiserver-sim/running_server.h"
#include "common/metrics/check_exposition.h"
#include "kube-sim/request/files.h"

using namespace usbloop::apiserver;
using namespace std::chrono_literals;
using nlohmann::json;
using namespace usbloop::apiserver::test;
using Clock = std::chrono::steady_clock;

TEST_CASE("objects are made, read and kept over a restart, on the same port") {
  const TemporaryDirectory dir;
  std::string url;
  {
    const auto server = start(dir);
    url = server->url();
    auto http = client(dir);
    const auto made = http->Post(kVmis, vmi("demo").dump(), "application/json");
    REQUIRE(made);
    CHECK(made->status == 201);
    CHECK(made->get_header_value("Content-Type") == "application/json");
    CHECK(http->Get("/healthz")->body == "ok");
  }
  const auto server = start(dir);
  CHECK(server->url() == url);
  const auto read = client(dir)->Get((std::string(kVmis) + "/demo").c_str());
  REQUIRE(read);
  CHECK(read->status == 200);
  for (const char* file : {"admin.kubeconfig", "node.kubeconfig", "data/tokens.csv", "data/state.db"}) {
    struct stat info {};
    REQUIRE(::stat((dir / file).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
}

TEST_CASE("a second server on the same directory is refused with a reason") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto second = ApiServer::start(options_in(dir));
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message().find("locked") != std::string::npos);
}

TEST_CASE("credentials decide: none and wrong ones get 401, a node's get what a node may do") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  auto http = client(dir);
  http->set_default_headers({});
  CHECK(http->Get("/version")->status == 200);
  const auto refused = http->Get(kVmis);
  CHECK(refused->status == 401);
  CHECK(json::parse(refused->body)["reason"] == "Unauthorized");
  http->set_default_headers({{"Authorization", "Bearer wrong"}});
  CHECK(http->Get("/version")->status == 401);
  auto node = client(dir, "node.kubeconfig");
  CHECK(node->Get(kVmis)->status == 200);
  const auto forbidden = node->Post(kVmis, vmi("x").dump(), "application/json");
  CHECK(forbidden->status == 403);
  CHECK(json::parse(forbidden->body)["message"].get<std::string>().starts_with(
      "virtualmachineinstances.kubevirt.io is forbidden: User \"system:node:usbloop\" cannot create"));
}

TEST_CASE("bodies come with a length or in chunks, one request after the other on a connection") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  RawTls raw(access);
  const std::string body = vmi("chunked").dump();
  char size[16];
  std::snprintf(size, sizeof size, "%zx", body.size());
  // Pipelined: the second request stands right behind the first one's last chunk.
  raw.send(head(access, std::string("POST ") + kVmis, "Transfer-Encoding: chunked\r\n") + size + "\r\n" + body +
           "\r\n0\r\n\r\n" + head(access, std::string("GET ") + kVmis + "/chunked", "Connection: close\r\n"));
  const std::string answers = raw.read_until("");
  CHECK(answers.starts_with("HTTP/1.1 201 "));
  CHECK(answers.find("HTTP/1.1 200 ") != std::string::npos);
}

TEST_CASE("what is too large is refused, and the server goes on") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  {
    RawTls raw(access);
    raw.send(head(access, std::string("POST ") + kVmis, "Content-Length: 104857600\r\n"));
    CHECK(raw.read_until("").starts_with("HTTP/1.1 413 "));
  }
  {
    RawTls raw(access);
    raw.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a'));
    CHECK(raw.read_until("").starts_with("HTTP/1.1 431 "));
  }
  {
    RawTls raw(access);
    raw.send(head(access, std::string("POST ") + kVmis, "Transfer-Encoding: chunked\r\n"));
    const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
    for (int i = 0; i < 64; ++i) raw.send(chunk);
    CHECK(raw.read_until("\r\n").starts_with("HTTP/1.1 413 "));
  }
  {
    RawTls raw(access);
    raw.send(head(access, "GET /" + std::string(7000, 'a')));
    CHECK(raw.read_until("\r\n").starts_with("HTTP/1.1 404 "));
  }
  {
    RawTls raw(access);
    raw.send(head(access, std::string("POST ") + kVmis,
                  "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 2\r\n") +
             "{}");
    CHECK(raw.read_until("\r\n").starts_with("HTTP/1.1 415 "));
  }
  CHECK(client(dir)->Get("/healthz")->status == 200);
}

TEST_CASE("a slow head and an idle connection are cut after their time") {
  const TemporaryDirectory dir;
  Limits limits;
  limits.head = 200ms;
  limits.idle = 200ms;
  const auto server = start(dir, limits);
  const auto access = access_of(dir);
  const auto begun = Clock::now();
  RawTls slow(access);
  slow.send("GET / HT");
  CHECK(slow.read_until("").find("no answer") == std::string::npos);
  RawTls idle(access);
  CHECK(idle.read_until("").empty());
  CHECK(Clock::now() - begun < 10s);
}

TEST_CASE("no more watches than the limit, and none of them keeps a request waiting") {
  const TemporaryDirectory dir;
  Limits limits;
  limits.watches = 20;
  const auto server = start(dir, limits);
  const auto access = access_of(dir);
  std::vector<std::unique_ptr<RawTls>> watches;
  for (int i = 0; i < 20; ++i) {
    watches.push_back(std::make_unique<RawTls>(access));
    watches.back()->send(head(access, "GET /api/v1/namespaces?watch=true"));
    CHECK(watches.back()->read_until("ADDED").starts_with("HTTP/1.1 200 "));
  }
  RawTls one_more(access);
  one_more.send(head(access, "GET /api/v1/namespaces?watch=true"));
  CHECK(one_more.read_until("\r\n").starts_with("HTTP/1.1 429 "));
  CHECK(client(dir)->Get("/api/v1/namespaces")->status == 200);
  watches.clear();
  const auto end = Clock::now() + 10s;
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 200 ") && Clock::now() < end) {
    RawTls again(access);
    again.send(head(access, "GET /api/v1/namespaces?watch=true"));
    answer = again.read_until("\r\n");
  }
  CHECK(answer.starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a watch ends after its time, and in order when the server stops") {
  const TemporaryDirectory dir;
  auto server = start(dir);
  const auto access = access_of(dir);
  RawTls timed(access);
  timed.send(head(access, "GET /api/v1/nodes?watch=true&timeoutSeconds=1"));
  CHECK(timed.read_until("").ends_with("0\r\n\r\n"));
  RawTls open(access);
  open.send(head(access, "GET /api/v1/namespaces?watch=true"));
  CHECK(open.read_until("ADDED").find("200 OK") != std::string::npos);
  RawTls idle(access);
  const auto begun = Clock::now();
  std::thread stopper([&] { server.reset(); });
  CHECK(open.read_until("").ends_with("0\r\n\r\n"));
  CHECK(idle.read_until("").empty());
  stopper.join();
  CHECK(Clock::now() - begun < 3s);
}

TEST_CASE("clients that say nothing do not hold up the end of the server") {
  const TemporaryDirectory dir;
  auto server = start(dir);
  const auto access = access_of(dir);
  RawTls half_head(access);
  half_head.send("GET / HT");
  RawTls half_body(access);
  half_body.send(head(access, std::string("POST ") + kVmis, "Content-Length: 1000\r\n") + "{");
  const usbloop::Fd silent = connect_tcp(access.port);
  CHECK(client(dir)->Get("/healthz")->status == 200);
  const auto begun = Clock::now();
  server.reset();
  CHECK(Clock::now() - begun < 5s);
}

TEST_CASE("events reach a watcher as they happen") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  RawTls watch(access);
  watch.send(head(access, std::string("GET ") + kVmis + "?watch=true"));
  CHECK(watch.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
  auto http = client(dir);
  for (const char* name : {"one", "two"}) {
    CHECK(http->Post(kVmis, vmi(name).dump(), "application/json")->status == 201);
    // The controllers write too. What they do with the first object is no event of the second.
    const std::string wanted = std::string("\"name\":\"") + name + "\"";
    bool seen = false;
    for (int i = 0; i < 10 && !seen; ++i) seen = watch.read_until("}\n").find(wanted) != std::string::npos;
    CHECK(seen);
  }
}

TEST_CASE("requests of several clients at once are all served") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  std::vector<std::thread> clients;
  std::atomic<int> fine = 0;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      auto http = client(dir);
      http->set_keep_alive(true);
      for (int round = 0; round < 20; ++round) {
        const std::string name = "c" + std::to_string(i) + "-" + std::to_string(round);
        const auto made = http->Post(kVmis, vmi(name).dump(), "application/json");
        const auto gone = http->Delete((std::string(kVmis) + "/" + name).c_str());
        if (made && made->status == 201 && gone && gone->status == 200) ++fine;
      }
    });
  }
  for (std::thread& thread : clients) thread.join();
  CHECK(fine == 120);
}

TEST_CASE("bodies that come slowly hold up nobody, and those of strangers are not waited for") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  std::vector<std::unique_ptr<RawTls>> slow;
  for (int i = 0; i < 30; ++i) {
    slow.push_back(std::make_unique<RawTls>(access));
    slow.back()->send(head(access, std::string("POST ") + kVmis, "Content-Length: 1000\r\n") + "{");
  }
  for (const char* framing : {"Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    RawTls stranger(access);
    stranger.send(std::string("POST ") + kVmis + " HTTP/1.1\r\nHost: x\r\n" + framing + "\r\n");
    CHECK(stranger.read_until("\r\n").starts_with("HTTP/1.1 401 "));
  }
  CHECK(client(dir)->Post(kVmis, vmi("quick").dump(), "application/json")->status == 201);
}

TEST_CASE("responses that nobody reads hold up nobody") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  auto http = client(dir);
  for (int i = 0; i < 20; ++i) {
    json large = vmi("large-" + std::to_string(i));
    large["metadata"]["annotations"] = {{"filler", std::string(200'000, 'x')}};
    REQUIRE(http->Post(kVmis, large.dump(), "application/json")->status == 201);
  }
  std::vector<std::unique_ptr<RawTls>> readers;
  for (int i = 0; i < 20; ++i) {
    readers.push_back(std::make_unique<RawTls>(access));
    readers.back()->send(head(access, std::string("GET ") + kVmis));
  }
  CHECK(client(dir)->Get("/api/v1/namespaces")->status == 200);
}

TEST_CASE("what is too much at once is refused with 429 and a time to come again, and counted") {
  const TemporaryDirectory dir;
  Limits limits;
  limits.requests_in_flight = 0;
  const auto server = start(dir, limits);
  const auto answer = client(dir)->Get("/api/v1/namespaces");
  REQUIRE(answer);
  CHECK(answer->status == 429);
  CHECK(answer->get_header_value("Retry-After") == "1");
  CHECK(json::parse(answer->body)["reason"] == "TooManyRequests");
}

TEST_CASE("one address has no more connections than its limit") {
  const TemporaryDirectory dir;
  Limits limits;
  limits.connections_per_address = 2;
  const auto server = start(dir, limits);
  const auto access = access_of(dir);
  {
    RawTls first(access);
    RawTls second(access);
    const usbloop::Fd third = connect_tcp(access.port);
    pollfd entry{third.get(), POLLIN, 0};
    CHECK(::poll(&entry, 1, 20'000) == 1);
    char byte = 0;
    CHECK(::read(third.get(), &byte, 1) <= 0);  // the end, without a word
  }
  const auto end = Clock::now() + 10s;
  bool served = false;
  while (!served && Clock::now() < end) served = static_cast<bool>(client(dir)->Get("/livez"));
  CHECK(served);
}

TEST_CASE("/metrics shows the administrator what happened, and nobody else") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  {
    RawTls raw(access);
    raw.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a'));
    CHECK(raw.read_until("").starts_with("HTTP/1.1 431 "));
  }
  auto http = client(dir);
  REQUIRE(http->Post(kVmis, vmi("demo").dump(), "application/json")->status == 201);
  const auto answer = http->Get("/metrics");
  REQUIRE(answer);
  CHECK(answer->get_header_value("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  const auto page = usbloop::metrics::test::read_page(answer->body);
  CHECK_MESSAGE(page.fault.empty(), page.fault);
  CHECK(page.value("usbloop_refusals_total{cause=\"head_too_large\"}") == 1);
  CHECK(page.value("usbloop_connections") >= 1);
  CHECK(page.value("apiserver_storage_objects{resource=\"virtualmachineinstances.kubevirt.io\"}") == 1);
  CHECK(page.value("apiserver_request_total{code=\"201\",component=\"apiserver\",dry_run=\"\",group=\"kubevirt.io\","
                   "resource=\"virtualmachineinstances\",scope=\"namespace\",subresource=\"\",verb=\"POST\",version="
                   "\"v1\"}") == 1);
  http->set_default_headers({});
  CHECK(http->Get("/metrics")->status >= 401);
}

TEST_CASE("what still runs at the end gets its grace time, unless it is cut") {
  const TemporaryDirectory dir;
  Limits limits;
  limits.stop_grace = 60s;
  auto server = start(dir, limits);
  const auto access = access_of(dir);
  RawTls half_body(access);
  half_body.send(head(access, std::string("POST ") + kVmis, "Content-Length: 1000\r\n") + "{");
  CHECK(client(dir)->Get("/livez")->status == 200);
  const auto begun = Clock::now();
  std::thread stopper([&] { server->stop(); });
  const auto end = Clock::now() + 20s;
  // No longer listening: the stop is under way.
  while (client(dir)->Get("/livez") && Clock::now() < end) std::this_thread::yield();
  server->cut();
  stopper.join();
  CHECK(Clock::now() - begun < 30s);
  CHECK(half_body.read_until("").find("no answer") == std::string::npos);
}
