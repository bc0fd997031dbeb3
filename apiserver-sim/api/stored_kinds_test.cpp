// The kinds that the server only stores: who may use them, and the two of their subresources that do something.
#include <doctest/doctest.h>

#include "apiserver-sim/test_support.h"
#include "kube-sim/controllers/disruption_controller.h"
#include "kube-sim/security/service_account_tokens.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;

namespace {

const std::string kBudgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

void make_running_pod(Api& api, const std::string& name) {
  const json container = {{"name", "c"}, {"image", "none"}};
  api.ok(api.call("POST", test::kPods,
                  {{"metadata", {{"name", name}, {"labels", {{"app", "web"}}}}},
                   {"spec", {{"nodeName", "n1"}, {"containers", json::array({container})}}}}),
         201);
  const json ready = {{"type", "Ready"}, {"status", "True"}};
  api.ok(api.call("PATCH", test::kPods + "/" + name + "/status",
                  {{"status", {{"phase", "Running"}, {"conditions", json::array({ready})}}}}, test::kMerge));
}

Response evict(Api& api, const std::string& name) {
  return api.call("POST", test::kPods + "/" + name + "/eviction",
                  {{"apiVersion", "policy/v1"},
                   {"kind", "Eviction"},
                   {"metadata", {{"name", name}}},
                   {"deleteOptions", {{"gracePeriodSeconds", 0}}}});
}

void bind(Api& api, const std::string& role) {
  const json subject = {{"kind", "User"}, {"name", role}, {"apiGroup", "rbac.authorization.k8s.io"}};
  api.ok(api.call("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
                  {{"metadata", {{"name", role}}},
                   {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role}}},
                   {"subjects", json::array({subject})}}),
         201);
}

}  // namespace

TEST_CASE("an eviction deletes a pod as far as the disruption budget allows it") {
  Api api;
  make_running_pod(api, "a");
  make_running_pod(api, "b");
  api.ok(api.call("POST", kBudgets,
                  {{"metadata", {{"name", "web"}}},
                   {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", {{"app", "web"}}}}}}}}),
         201);
  CHECK(evict(api, "nobody").code == 404);
  const Response early = evict(api, "a");
  CHECK(early.code == 429);
  CHECK(json::parse(early.body)["details"]["causes"][0]["message"] ==
        "The disruption budget web is still being processed by the server.");
  const DisruptionController controller(api.registry, *api.store, api.hub);
  const auto allowed = [&] { return api.get(kBudgets + "/web")["status"]["disruptionsAllowed"]; };
  REQUIRE(test::comes_true([&] { return allowed() == 1; }));
  CHECK(evict(api, "a").code == 201);
  CHECK(api.get(test::kPods + "/a").is_null());
  CHECK(allowed() == 0);
  REQUIRE(test::comes_true([&] { return api.get(kBudgets + "/web")["status"]["currentHealthy"] == 1; }));
  const Response refused = evict(api, "b");
  CHECK(refused.code == 429);
  CHECK(test::message(refused) == "Cannot evict pod as it would violate the pod's disruption budget.");
  CHECK(json::parse(refused.body)["details"]["causes"][0]["message"] ==
        "The disruption budget web needs 1 healthy pods and has 1 currently");
  CHECK_FALSE(api.get(test::kPods + "/b").is_null());
  api.ok(api.call("DELETE", kBudgets + "/web"));
  CHECK(evict(api, "b").code == 201);
  CHECK(api.get(test::kPods + "/b").is_null());
}

TEST_CASE("a service account's token is good unchanged, until it ends or its account goes") {
  Api api;
  const std::string accounts = "/api/v1/namespaces/default/serviceaccounts";
  const json account = api.ok(api.call("POST", accounts, {{"metadata", {{"name", "robot"}}}}), 201);
  const ServiceAccountTokens tokens(std::string(32, 'k'), *api.store);
  const ServiceAccountTokens others(std::string(32, 'o'), *api.store);
  const ServiceAccountTokens::Account robot = {"default", "robot", account["metadata"]["uid"]};
  const std::string token = tokens.issue(robot, {kApiAudience}, 100, 200);
  const auto user = tokens.user_of(token, 150);
  REQUIRE(user);
  CHECK(user->name == "system:serviceaccount:default:robot");
  CHECK(user->groups == std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:default"});
  CHECK_FALSE(tokens.user_of(token, 200));
  CHECK_FALSE(tokens.user_of(tokens.issue(robot, {"somebody else"}, 100, 200), 150));
  CHECK_FALSE(tokens.user_of(others.issue(robot, {kApiAudience}, 100, 200), 150));
  CHECK_FALSE(tokens.user_of(tokens.issue({"default", "robot", "another"}, {kApiAudience}, 100, 200), 150));
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'Q' : 'A';
    CAPTURE(changed);
    CHECK_FALSE(tokens.user_of(changed, 150));
  }
  // "alg": "none", without a signature.
  CHECK_FALSE(tokens.user_of(
      "eyJhbGciOiJub25lIn0" + token.substr(token.find('.'), token.rfind('.') + 1 - token.find('.')), 150));
  api.ok(api.call("DELETE", accounts + "/robot"));
  CHECK_FALSE(tokens.user_of(token, 150));
}

TEST_CASE("who may edit has all namespaced kinds, who may view reads all but secrets") {
  Api api;
  bind(api, "edit");
  bind(api, "view");
  const std::string core = "/api/v1/namespaces/default/";
  const std::string apps = "/apis/apps/v1/namespaces/default/";
  for (const std::string& path :
       {core + "configmaps", core + "secrets", core + "serviceaccounts", core + "services",
        core + "persistentvolumeclaims", apps + "deployments", apps + "statefulsets", apps + "daemonsets", kBudgets,
        std::string("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies")}) {
    CAPTURE(path);
    api.user = {"edit", "", {"system:authenticated"}};
    CHECK(api.call("GET", path).code == 200);
    CHECK(api.call("DELETE", path + "/nothing").code == 404);
    api.user = {"view", "", {"system:authenticated"}};
    CHECK(api.call("GET", path).code == (path == core + "secrets" ? 403 : 200));
    CHECK(api.call("DELETE", path + "/nothing").code == 403);
  }
}

TEST_CASE("a config map has binary data beside its texts, and no key in both") {
  Api api;
  const std::string maps = "/api/v1/namespaces/default/configmaps";
  json map = {{"metadata", {{"name", "m"}}}, {"data", {{"a", "1"}}}, {"binaryData", {{"b", "AAE="}, {"c", ""}}}};
  CHECK(api.ok(api.call("POST", maps, map), 201)["binaryData"] == map["binaryData"]);
  map["metadata"]["name"] = "n";
  map["data"]["b"] = "1";
  const Response refused = api.call("POST", maps, map);
  CHECK(refused.code == 422);
  CHECK(test::message(refused).find("data[b]: Invalid value: \"b\": duplicate of key present in binaryData") !=
        std::string::npos);
}

TEST_CASE("a pod whose containers come anew without their defaults has not changed") {
  Api api;
  const json spec = {{"nodeSelector", {{"no", "node"}}},
                     {"containers", json::array({{{"name", "c"}, {"image", "i"}}})}};
  const json made = api.ok(api.call("POST", test::kPods, {{"metadata", {{"name", "p"}}}, {"spec", spec}}), 201);
  const json patched = api.ok(api.call("PATCH", test::kPods + "/p", {{"spec", spec}}, test::kMerge));
  CHECK(patched["spec"] == made["spec"]);
  CHECK(patched["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]);
  const json other = {{"spec", {{"containers", json::array({{{"name", "d"}, {"image", "i"}}})}}}};
  CHECK(api.call("PATCH", test::kPods + "/p", other, test::kMerge).code == 422);
}
