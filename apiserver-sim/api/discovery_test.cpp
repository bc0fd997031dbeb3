#include "kube-sim/documents/discovery.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;

namespace {

constexpr const char* kV2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
constexpr const char* kV2Beta1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

json entry_named(const json& list, const char* key, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const json& entry) { return entry[key] == name; });
  return found == list.end() ? json() : *found;
}

Response ask(Api& api, const char* path, const std::string& accept) { return api.raw("GET", path, "", "", accept); }

}  // namespace

TEST_CASE("discovery names every kind, in each version that is served") {
  Api api;
  const json groups = api.ok(api.call("GET", "/apis"))["groups"];
  CHECK(entry_named(groups, "name", "kubevirt.io")["preferredVersion"]["groupVersion"] == "kubevirt.io/v1");
  for (const char* path : {"/apis/kubevirt.io/v1", "/apis/kubevirt.io/v1alpha3"}) {
    const json vmi = entry_named(api.ok(api.call("GET", path))["resources"], "name", "virtualmachineinstances");
    CHECK(vmi["shortNames"] == json::array({"vmi", "vmis"}));
    CHECK(vmi["categories"] == json::array({"all"}));
    CHECK(vmi["singularName"] == "virtualmachineinstance");
    CHECK(vmi["storageVersionHash"].get<std::string>().size() == 12);
  }
  const json core = api.ok(api.call("GET", "/api/v1"));
  CHECK(entry_named(core["resources"], "name", "nodes/status")["verbs"] == json::array({"get", "patch", "update"}));
  CHECK(api.ok(api.call("GET", "/apis/subresources.kubevirt.io"))["preferredVersion"]["groupVersion"] ==
        "subresources.kubevirt.io/v1");
  CHECK(api.ok(api.call("GET", "/apis/")).contains("groups"));
  CHECK(api.call("GET", "/apis/nobody.example").code == 404);
}

TEST_CASE("the storage version hash is the one that every API server computes") {
  Api api;
  // As kube-apiserver says it for pods and namespaces.
  const json core = api.ok(api.call("GET", "/api/v1"))["resources"];
  CHECK(entry_named(core, "name", "namespaces")["storageVersionHash"] == "Q3oi5N2YM8M=");
}

TEST_CASE("a client gets the aggregated document in the version that it names, or the legacy one") {
  Api api;
  const Response v2 = ask(api, "/apis", std::string(kV2) + "," + kV2Beta1 + ",application/json");
  CHECK(v2.content_type == kV2);
  CHECK(api.ok(v2)["apiVersion"] == "apidiscovery.k8s.io/v2");
  const Response beta = ask(api, "/apis", std::string(kV2Beta1) + ",application/json");
  CHECK(beta.content_type == kV2Beta1);
  CHECK(api.ok(beta)["apiVersion"] == "apidiscovery.k8s.io/v2beta1");
  for (const char* accept :
       {"", "application/json, */*", "*/*", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json"}) {
    CAPTURE(accept);
    const Response legacy = ask(api, "/apis", accept);
    CHECK(legacy.content_type == "application/json");
    CHECK(api.ok(legacy)["kind"] == "APIGroupList");
  }
}

TEST_CASE("the aggregated documents hold what the legacy ones do") {
  Api api;
  const json core = api.ok(ask(api, "/api", kV2))["items"];
  REQUIRE(core.size() == 1);
  CHECK_FALSE(core[0]["metadata"].contains("name"));
  const json node = entry_named(core[0]["versions"][0]["resources"], "resource", "nodes");
  CHECK(node["scope"] == "Cluster");
  CHECK(node["subresources"][0]["responseKind"] == json{{"group", ""}, {"version", "v1"}, {"kind", "Node"}});
  const json groups = api.ok(ask(api, "/apis", kV2))["items"];
  for (const json& group : groups) {
    CHECK_FALSE(group["metadata"]["name"].get<std::string>().empty());
    for (const json& version : group["versions"]) {
      CHECK(version["freshness"] == "Current");
      for (const json& resource : version["resources"]) {
        CHECK(resource.contains("responseKind"));
        for (const json& subresource : resource.value("subresources", json::array())) {
          CHECK(subresource.contains("responseKind"));
        }
      }
    }
  }
}

TEST_CASE("a client that has the document already is told so") {
  Api api;
  const Response first = ask(api, "/apis", kV2);
  const auto tag = std::find_if(first.headers.begin(), first.headers.end(),
                                [](const auto& header) { return header.first == "ETag"; });
  REQUIRE(tag != first.headers.end());
  Request request{"GET", "/apis", {}, "", kV2, "", api.user};
  request.if_none_match = tag->second;
  const Response again = api.handle(request);
  CHECK(again.code == 304);
  CHECK(again.body.empty());
  request.if_none_match = "\"other\"";
  CHECK(api.handle(request).code == 200);
}

TEST_CASE("a trailing slash makes no other path of the version, the groups and OpenAPI") {
  Api api;
  for (const char* path : {"/version", "/api", "/apis", "/apis/kubevirt.io", "/openapi/v2", "/openapi/v3"}) {
    CAPTURE(path);
    const Response plain = ask(api, path, "application/json");
    CHECK(plain.code == 200);
    CHECK(ask(api, (std::string(path) + "/").c_str(), "application/json").body == plain.body);
  }
  api.user = {"system:anonymous", "", {"system:unauthenticated"}};
  CHECK(ask(api, "/version/", "application/json").code == 200);
}

TEST_CASE("a path of discovery may end with a slash, and what is below it is a resource") {
  Api api;
  CHECK(ask(api, "/apis/kubevirt.io/v1/", "application/json").body ==
        ask(api, "/apis/kubevirt.io/v1", "application/json").body);
  CHECK(ask(api, "/api/v1/", "application/json").body == ask(api, "/api/v1", "application/json").body);
  CHECK(ask(api, "/api/v1/nodes/", "application/json").body.find("NodeList") != std::string::npos);
  CHECK(ask(api, "/apis/kubevirt.io/v2/", "application/json").code == 404);
}
