// Every kind of object by every method on every shape of path, beside what the real servers have routes for.
#include "kube-sim/rest/routes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using namespace usbloop::apiserver::test;
using nlohmann::json;

namespace {

constexpr std::array<const char*, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

std::string group_path(const ResourceInfo& kind) {
  return kind.group.empty() ? "/api/" + kind.version : "/apis/" + kind.group + "/" + kind.version;
}

/// The namespace "default" with an object of each kind that somebody could lose, and a node.
void fill(Api& api) {
  const std::string ns = "/namespaces/default/";
  const auto make = [&](const std::string& collection, const json& object) {
    REQUIRE_MESSAGE(api.call("POST", collection, object).code == 201, collection);
  };
  const json meta = {{"metadata", {{"name", "x"}}}};
  json vm = meta;
  vm["spec"] = {{"runStrategy", "Halted"}, {"template", {{"spec", vmi("x")["spec"]}}}};
  json binding = meta;
  binding["roleRef"] = {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "x"}};
  json event = meta;
  event["involvedObject"] = {{"kind", "Pod"}, {"name", "x"}, {"namespace", "default"}};
  json pod = handler_pod("x");
  pod["metadata"]["name"] = "x";
  make("/api/v1/nodes", meta);
  make("/api/v1" + ns + "pods", pod);
  make("/api/v1" + ns + "events", event);
  make("/apis/coordination.k8s.io/v1" + ns + "leases", meta);
  make("/apis/kubevirt.io/v1" + ns + "virtualmachines", vm);
  make("/apis/kubevirt.io/v1" + ns + "virtualmachineinstances", vmi("x"));
  make("/apis/rbac.authorization.k8s.io/v1" + ns + "roles", meta);
  make("/apis/rbac.authorization.k8s.io/v1" + ns + "rolebindings", binding);
}

bool is_custom(const ResourceInfo& kind) { return kind.group == "kubevirt.io"; }

/// What the real server answers on a path whose scope is not the kind's.
int wrong_scope(const ResourceInfo& kind, const std::string& method, bool names_object) {
  if (!kind.namespaced || names_object) return 404;
  if (method == "GET" || (method == "HEAD" && is_custom(kind))) return 200;
  return is_custom(kind) ? 404 : 405;
}

}  // namespace

TEST_CASE("a path of the wrong scope is no road to an object, by no method, of no kind") {
  Api api;
  fill(api);
  const auto before = api.store->version();
  for (const auto& resource : api.registry.all()) {
    const ResourceInfo& kind = resource->info();
    const std::string scope = kind.namespaced ? "/" : "/namespaces/default/";
    std::vector<std::string> versions = kind.other_versions;
    versions.push_back(kind.version);
    for (const std::string& version : versions) {
      ResourceInfo one = kind;
      one.version = version;
      const std::string collection = group_path(one) + scope + kind.plural;
      for (const std::string method : kMethods) {
        CAPTURE(method);
        CAPTURE(collection);
        CHECK(api.call(method, collection).code == wrong_scope(kind, method, false));
        CHECK(api.call(method, collection + "?labelSelector=a").code == wrong_scope(kind, method, false));
        for (const char* name : {"/x", "/x/status", "/default"}) {
          CAPTURE(name);
          CHECK(api.call(method, collection + name, json::object(), kMerge).code == wrong_scope(kind, method, true));
          CHECK(api.call(method, collection + name + "?watch=true").code == wrong_scope(kind, method, true));
        }
      }
    }
  }
  CHECK(api.store->version() == before);
}

TEST_CASE("a path of the right scope has the methods of a collection or of an object, and no others") {
  Api api;
  fill(api);
  const auto before = api.store->version();
  for (const auto& resource : api.registry.all()) {
    const ResourceInfo& kind = resource->info();
    const std::string collection = group_path(kind) + (kind.namespaced ? "/namespaces/default/" : "/") + kind.plural;
    CAPTURE(collection);
    const bool custom = is_custom(kind);
    CHECK(api.call("GET", collection).code == 200);
    CHECK(api.call("HEAD", collection).code == (custom ? 200 : 405));
    CHECK(api.call("HEAD", collection + "?watch=true").code == 405);
    CHECK(api.call("PUT", collection, json::object()).code == (custom ? 400 : 405));
    CHECK(api.call("PATCH", collection, json::object(), kMerge).code == (custom ? 400 : 405));
    CHECK(api.call("OPTIONS", collection).code == 405);
    CHECK(api.call("OPTIONS", collection + "/x").code == 405);
    CHECK(api.call("POST", collection + "/x", json::object()).code == 405);
    for (const char* method : {"POST", "DELETE", "OPTIONS"}) {
      CHECK(api.call(method, collection + "/x/status").code == (kind.has_status ? 405 : 404));
    }
    CHECK(api.call("GET", collection + "/x/frobnicate").code == 404);
  }
  CHECK(api.call("DELETE", "/api/v1/namespaces").code == 405);
  CHECK(api.call("GET", "/api/v1/namespaces/default/namespaces").code == 404);
  CHECK(api.call("GET", "/api/v1/namespaces/default/podtemplates").body == "404 page not found\n");
  CHECK(api.call("GET", "/nowhere").code == 404);
  CHECK(api.raw("GET", kVmis, "", "", "application/vnd.kubernetes.protobuf").code == 406);
  CHECK(api.store->version() == before);
}

TEST_CASE("a collection is deleted in its namespace alone, or whole where there are none") {
  Api api;
  fill(api);
  REQUIRE(api.call("POST", "/apis/kubevirt.io/v1/namespaces/kubevirt/virtualmachineinstances", vmi("other")).code ==
          201);
  CHECK(api.call("DELETE", "/apis/kubevirt.io/v1/virtualmachineinstances").body == "404 page not found\n");
  CHECK(message(api.call("DELETE", "/api/v1/pods")) ==
        "the server does not allow this method on the requested resource");
  CHECK(message(api.call("DELETE", "/api/v1/pods/x")) == "the server could not find the requested resource");
  CHECK(api.call("DELETE", kVmis).code == 200);
  CHECK(api.get("/apis/kubevirt.io/v1/namespaces/kubevirt/virtualmachineinstances/other").contains("metadata"));
  CHECK(api.call("DELETE", "/api/v1/nodes").code == 200);
  CHECK(api.call("GET", "/api/v1/nodes/x").code == 404);
}

TEST_CASE("rights in a namespace reach no object outside of it by a path that names the namespace") {
  Api api;
  fill(api);
  const json binding = {
      {"metadata", {{"name", "all"}}},
      {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}}},
      {"subjects", {{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "User"}, {"name", "eve"}}}}};
  REQUIRE(api.call("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", binding).code == 201);
  const User eve{"eve", "", {"system:authenticated"}};
  api.user = eve;
  REQUIRE(api.call("GET", "/api/v1/namespaces/default/pods/x").code == 200);
  for (const char* path : {"/api/v1/namespaces/default/nodes/x", "/api/v1/namespaces/default/nodes",
                           "/api/v1/namespaces/default/namespaces/kubevirt",
                           "/apis/rbac.authorization.k8s.io/v1/namespaces/default/clusterroles/admin"}) {
    for (const char* method : {"GET", "PUT", "PATCH", "DELETE"}) {
      CAPTURE(path);
      CAPTURE(method);
      CHECK(api.call(method, path, json::object(), kMerge).code == 404);
    }
  }
  api.user = admin();
  CHECK(api.get("/api/v1/nodes/x").contains("metadata"));
  CHECK(api.get("/api/v1/namespaces/kubevirt").contains("metadata"));
}
