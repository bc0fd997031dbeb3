#include "kube-sim/request/http_types.h"

#include <doctest/doctest.h>

#include "kube-sim/http/request_head.h"
#include "kube-sim/objects/negotiation.h"
#include "kube-sim/request/request_info.h"

using namespace usbloop::apiserver;

namespace {

RequestInfo info(const std::string& method, const std::string& target) {
  const auto parsed = parse_target(target);
  REQUIRE(parsed);
  return read_request_info({method, parsed->path, parsed->query, "", "", "", {}});
}

tl::expected<BodyInfo, usbloop::kube::Status> framing(const std::string& headers) {
  const auto head = usbloop::http::parse_request_head("POST / HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
  if (!head) return tl::unexpected(head_refusal(head.error().code, head.error().message));
  return read_framing(*head);
}

}  // namespace

TEST_CASE("targets are decoded, and tricks with them are refused") {
  const auto target = parse_target("/api/a%20b?labelSelector=a%3Db+c&watch&x=%2B");
  REQUIRE(target);
  CHECK(target->path == "/api/a b");
  CHECK(target->query.find("labelSelector")->second == "a=b c");
  CHECK(target->query.count("watch") == 1);
  CHECK(target->query.find("x")->second == "+");
  for (const char* bad : {"", "api", "http://x/api", "*", "/%", "/%1", "/%zz", "/%00", "/a/../b", "/..", "/a/./b",
                          "/%2e%2e/x", "/a?b=%", "/% 1", "/%+1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_target(bad).has_value());
  }
  for (const char raw : {'\0', '\n', ' ', '\x7f'}) CHECK_FALSE(parse_target(std::string("/a") + raw + "b").has_value());
}

TEST_CASE("a path names verb, group, version, namespace, resource, name and subresource") {
  RequestInfo one = info("GET", "/apis/kubevirt.io/v1/namespaces/ns/virtualmachineinstances/vm");
  CHECK(one.is_resource);
  CHECK(one.verb == "get");
  CHECK(one.group == "kubevirt.io");
  CHECK(one.namespace_ == "ns");
  CHECK(one.resource == "virtualmachineinstances");
  CHECK(one.name == "vm");
  one = info("GET", "/apis/subresources.kubevirt.io/v1/namespaces/ns/virtualmachineinstances/vm/portforward/22/tcp");
  CHECK(one.subresource == "portforward/22/tcp");
  CHECK(info("GET", "/api/v1/namespaces").verb == "list");
  one = info("PUT", "/api/v1/namespaces/ns/finalize");
  CHECK(one.resource == "namespaces");
  CHECK(one.name == "ns");
  CHECK(one.subresource == "finalize");
  CHECK(info("GET", "/api/v1/nodes?watch=true").verb == "watch");
  CHECK(info("GET", "/api/v1/nodes?watch=false").verb == "list");
  CHECK(info("DELETE", "/api/v1/nodes").verb == "deletecollection");
  CHECK_FALSE(info("GET", "/api/v1").is_resource);
  CHECK_FALSE(info("GET", "/apis/kubevirt.io/v1").is_resource);
  CHECK(info("GET", "/healthz").verb == "get");
}

TEST_CASE("the body's framing is clear or refused") {
  CHECK_FALSE(framing("")->present());
  CHECK(framing("Content-Length: 5\r\n")->length == 5);
  CHECK(framing("Content-Length: 005\r\n")->length == 5);
  CHECK(framing("Content-Length: 5\r\nContent-Encoding: identity\r\n")->length == 5);
  CHECK(framing("Transfer-Encoding: chunked\r\n")->chunked);
  CHECK(framing("transfer-encoding:\tCHUNKED \r\n")->chunked);
  struct Case {
    const char* headers;
    int code;
  };
  for (const Case& bad : {Case{"Content-Length: -1\r\n", 400},
                          {"Content-Length: 5x\r\n", 400},
                          {"Content-Length: 5\r\nContent-Length: 6\r\n", 400},
                          {"Content-Length: 99999999999999999999999\r\n", 400},
                          {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
                          {"Content-Length: \r\n", 400},
                          {"Content-Length: 3145729\r\n", 413},
                          {"Content-Length: 5\r\nContent-Encoding: gzip\r\n", 415},
                          {"Transfer-Encoding: identity\r\n", 400},
                          {"Transfer-Encoding: chunked, gzip\r\n", 400},
                          {"Transfer-Encoding: chunked, chunked\r\n", 400},
                          {"Transfer-Encoding: gzip, , chunked\r\n", 400},
                          {"Transfer-Encoding: , chunked\r\n", 400},
                          {"Transfer-Encoding: gzip, chunked\r\n", 501}}) {
    CAPTURE(bad.headers);
    const auto refused = framing(bad.headers);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == bad.code);
  }
}

TEST_CASE("what a client accepts") {
  CHECK(negotiate("").acceptable);
  CHECK(negotiate("application/json, */*").acceptable);
  CHECK_FALSE(negotiate("application/vnd.kubernetes.protobuf").acceptable);
  CHECK(negotiate("application/vnd.kubernetes.protobuf,application/json").acceptable);
  const char* kubectl =
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
  CHECK(negotiate(kubectl).table);
  CHECK(negotiate(kubectl).meta_version == "v1");
  CHECK(negotiate("application/json;as=Table;v=v1beta1;g=meta.k8s.io").meta_version == "v1beta1");
  CHECK_FALSE(negotiate("application/json;as=Table;v=v9;g=meta.k8s.io").acceptable);
}
