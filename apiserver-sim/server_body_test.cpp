// Bodies at the front door: who is not waited for, who is, and that nobody else waits with them.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "apiserver-sim/running_server.h"

using namespace usbloop::apiserver;
using namespace usbloop::apiserver::test;
namespace kube = usbloop::kube;

namespace {

/// Bodies that are not there, are announced and never sent, or wait to be asked for.
constexpr std::array<const char*, 5> kNoBodies = {"", "Content-Length: 0\r\n", "Content-Length: 100\r\n",
                                                  "Transfer-Encoding: chunked\r\n",
                                                  "Expect: 100-continue\r\nContent-Length: 100\r\n"};

std::string vmis_post(const kube::ClusterAccess& access, const std::string& more) {
  return head(access, std::string("POST ") + kVmis, more);
}

/// One chunk with the whole text, and the last.
std::string chunked(const std::string& text) {
  std::array<char, 24> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  return size.data() + text + "\r\n0\r\n\r\n";
}

}  // namespace

TEST_CASE("no byte of a body is waited for without credentials, with wrong ones or without the right") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto admin = access_of(dir);
  const auto node = access_of(dir, "node.kubeconfig");
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
    for (const std::string framing : kNoBodies) {
      CAPTURE(method);
      CAPTURE(framing);
      const auto answer = [&](const std::string& path, const std::string& authorization) {
        RawTls raw(admin);
        raw.send(method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + authorization + framing + "\r\n");
        return raw.read_until("\r\n");
      };
      CHECK(answer("/healthz", "").starts_with("HTTP/1.1 403 "));
      CHECK(answer(kVmis, "").starts_with("HTTP/1.1 401 "));
      CHECK(answer(kVmis, "Authorization: Bearer wrong\r\n").starts_with("HTTP/1.1 401 "));
      CHECK(answer("/api/v1/namespaces", "Authorization: Bearer " + node.token + "\r\n").starts_with("HTTP/1.1 403 "));
    }
  }
}

TEST_CASE("a request with neither length nor coding has no body, and the connection goes on") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  RawTls raw(access);
  raw.send(vmis_post(access, ""));
  CHECK(raw.read_until("\r\n").starts_with("HTTP/1.1 400 "));  // an object was wanted
  raw.read_until("}");
  RawTls pausing(access);
  pausing.send(
      head(access, "PUT /apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachineinstances/x/pause") +
      head(access, "GET /version", "Connection: close\r\n"));
  const std::string answers = pausing.read_until("");
  CHECK(answers.starts_with("HTTP/1.1 404 "));
  CHECK(answers.find("HTTP/1.1 200 ") != std::string::npos);
}

TEST_CASE("who sends chunks slowly holds up no other chunks, and no end of the server") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  std::vector<std::unique_ptr<RawTls>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<RawTls>(access));
    slow.back()->send(vmis_post(access, "Transfer-Encoding: chunked\r\n") + "5\r\n{");
  }
  RawTls quick(access);
  quick.send(vmis_post(access, "Transfer-Encoding: chunked\r\n") + chunked(vmi("quick").dump()));
  CHECK(quick.read_until("\r\n").starts_with("HTTP/1.1 201 "));
}

TEST_CASE("a client that waits for 100 Continue gets it once it may send, and is served") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  const std::string body = vmi("continued").dump();
  RawTls raw(access);
  raw.send(vmis_post(access, "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
  CHECK(raw.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send(body);
  CHECK(raw.read_until("\r\n").starts_with("HTTP/1.1 201 "));
  RawTls other(access);
  other.send(vmis_post(access, "Expect: the-moon\r\nContent-Length: 2\r\n"));
  CHECK(other.read_until("\r\n").starts_with("HTTP/1.1 417 "));
}

TEST_CASE("a user has no more bodies on their way than the limit, which is nobody else's") {
  const TemporaryDirectory dir;
  Limits limits;
  limits.bodies_per_user = 2;
  const auto server = start(dir, limits);
  const auto access = access_of(dir);
  const auto node = access_of(dir, "node.kubeconfig");
  const std::string awaited = "Expect: 100-continue\r\nContent-Length: 1000\r\n";
  std::vector<std::unique_ptr<RawTls>> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(std::make_unique<RawTls>(access));
    slow.back()->send(vmis_post(access, awaited));
    CHECK(slow.back()->read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
  }
  for (const std::string framing : {"Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    RawTls more(access);
    more.send(vmis_post(access, framing));
    const std::string answer = more.read_until("\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 429 "));
    CHECK(answer.find("Retry-After: 1\r\n") != std::string::npos);
  }
  RawTls other(access);
  other.send(head(node, "POST /api/v1/namespaces/default/events", awaited));
  CHECK(other.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
  const std::string page = client(dir)->Get("/metrics")->body;
  CHECK(page.find("usbloop_refusals_total{cause=\"user_bodies\"} 2") != std::string::npos);
  slow.clear();
  const auto may_again = [&] {
    RawTls again(access);
    again.send(vmis_post(access, awaited));
    return again.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 ");
  };
  CHECK(comes_true(may_again));
}

TEST_CASE("the last answer of a connection says that it is the last") {
  const TemporaryDirectory dir;
  const auto server = start(dir);
  const auto access = access_of(dir);
  for (const char* line : {"GET /version", "GET /nowhere", "POST /apis", "GET /api/v1/namespaces"}) {
    RawTls raw(access);
    raw.send(head(access, line, "Connection: close\r\n"));
    const std::string answer = raw.read_until("");
    CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(answer.find("Keep-Alive") == std::string::npos);
  }
}
