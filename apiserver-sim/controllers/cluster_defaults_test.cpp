// What a cluster's controllers do for the kinds that are not KubeVirt's.
#include <doctest/doctest.h>

#include <array>
#include <set>

#include "apiserver-sim/test_support.h"
#include "kube-sim/controllers/disruption_controller.h"
#include "kube-sim/controllers/namespace_controller.h"
#include "kube-sim/controllers/namespace_defaults.h"
#include "kube-sim/controllers/no_controller.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::comes_true;

namespace {

const std::string kAllNamespaces = "/api/v1/namespaces";
const std::string kDefaultAccount = kAllNamespaces + "/lab/serviceaccounts/default";
const std::string kRootCa = kAllNamespaces + "/lab/configmaps/kube-root-ca.crt";
const std::string kPdbs = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const std::string kDeployments = "/apis/apps/v1/namespaces/default/deployments";
const std::string kNoControllerEvents = kAllNamespaces + "/default/events?fieldSelector=reason%3DNoController";

json web_pod(const std::string& name, const json& owner = nullptr) {
  const json container = {{"name", "c"}, {"image", "none"}};
  json pod = {{"metadata", {{"name", name}, {"labels", {{"app", "web"}}}}},
              {"spec", {{"nodeName", "n1"}, {"containers", json::array({container})}}}};
  if (!owner.is_null()) pod["metadata"]["ownerReferences"] = json::array({owner});
  return pod;
}

void make_ready(Api& api, const std::string& name, const char* status = "True") {
  const json ready = {{"type", "Ready"}, {"status", status}};
  api.ok(api.call("PATCH", test::kPods + "/" + name + "/status",
                  {{"status", {{"phase", "Running"}, {"conditions", json::array({ready})}}}}, test::kMerge));
}

void make_budget(Api& api, const json& spec) {
  json budget = {{"metadata", {{"name", "web"}}}, {"spec", spec}};
  budget["spec"]["selector"] = {{"matchLabels", {{"app", "web"}}}};
  api.ok(api.call("POST", kPdbs, budget), 201);
}

/// Healthy, desired, allowed, expected: as soon as the status tells these.
bool comes_to(Api& api, std::array<int, 4> wanted) {
  return comes_true([&] {
    const json status = api.get(kPdbs + "/web")["status"];
    return status.value("observedGeneration", 0) == 1 && status["currentHealthy"] == wanted[0] &&
           status["desiredHealthy"] == wanted[1] && status["disruptionsAllowed"] == wanted[2] &&
           status["expectedPods"] == wanted[3];
  });
}

json deployment(const std::string& name) {
  const json container = {{"name", "c"}, {"image", "none"}};
  return {{"metadata", {{"name", name}}},
          {"spec",
           {{"selector", {{"matchLabels", {{"app", "web"}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", {{"containers", json::array({container})}}}}}}}};
}

}  // namespace

TEST_CASE("a namespace has its service account and the server's certificate, also after a deletion, until it goes") {
  Api api;
  const NamespaceDefaults defaults(api.registry, *api.store, api.hub, "the certificate");
  api.ok(api.call("POST", kAllNamespaces, {{"metadata", {{"name", "lab"}}}}), 201);
  const auto has_both = [&] { return !api.get(kDefaultAccount).is_null() && !api.get(kRootCa).is_null(); };
  REQUIRE(comes_true(has_both));
  CHECK(api.get(kRootCa)["data"] == json{{"ca.crt", "the certificate"}});
  const std::string first = api.get(kDefaultAccount)["metadata"]["uid"];
  api.ok(api.call("DELETE", kDefaultAccount));
  CHECK(comes_true([&] { return has_both() && api.get(kDefaultAccount)["metadata"]["uid"] != first; }));
  api.ok(api.call("PATCH", kRootCa, {{"data", {{"ca.crt", "another"}}}}, test::kMerge));
  CHECK(comes_true([&] { return api.get(kRootCa)["data"]["ca.crt"] == "the certificate"; }));
  api.ok(api.call("DELETE", kRootCa));
  CHECK(comes_true(has_both));
  const NamespaceController namespaces(api.registry, *api.store, api.hub);
  api.ok(api.call("DELETE", kAllNamespaces + "/lab"));
  CHECK(comes_true([&] { return api.get(kAllNamespaces + "/lab").is_null(); }));
  CHECK(api.store->list("serviceaccounts", "lab").objects.empty());
}

TEST_CASE("an object that nothing acts on says so in one event, also when the server starts again") {
  Api api;
  {
    const NoController no_controller(api.registry, *api.store, api.hub);
    api.ok(api.call("POST", kDeployments, deployment("web")), 201);
    REQUIRE(comes_true([&] { return api.get(kNoControllerEvents)["items"].size() == 1; }));
    const json event = api.get(kNoControllerEvents)["items"][0];
    CHECK(event["type"] == "Warning");
    CHECK(event["involvedObject"]["kind"] == "Deployment");
    CHECK(event["involvedObject"]["name"] == "web");
    CHECK(event["message"] == "Nothing here acts on this object: no pods are made of the template.");
  }
  const NoController again(api.registry, *api.store, api.hub);
  api.ok(api.call("PATCH", kDeployments + "/web", {{"spec", {{"replicas", 2}}}}, test::kMerge));
  api.ok(api.call("POST", kDeployments, deployment("other")), 201);
  REQUIRE(comes_true([&] { return api.get(kNoControllerEvents)["items"].size() == 2; }));
  const json events = api.get(kNoControllerEvents);
  for (const json& event : events["items"]) CHECK(event["count"] == 1);
  std::set<std::string> told;
  for (const ResourcePtr& kind : api.registry.all()) {
    if (!kind->without_controller().empty()) told.insert(kind->info().kind);
  }
  CHECK(told == std::set<std::string>{"CertificateSigningRequest", "DaemonSet", "Deployment", "NetworkPolicy",
                                      "PersistentVolumeClaim", "PriorityClass", "Service", "StatefulSet"});
}

TEST_CASE("a disruption budget tells how many pods may go") {
  Api api;
  const DisruptionController controller(api.registry, *api.store, api.hub);
  make_budget(api, {{"minAvailable", 1}});
  CHECK(comes_to(api, {0, 1, 0, 0}));
  for (const char* name : {"a", "b"}) api.ok(api.call("POST", test::kPods, web_pod(name)), 201);
  make_ready(api, "a");
  CHECK(comes_to(api, {1, 1, 0, 2}));
  make_ready(api, "b");
  CHECK(comes_to(api, {2, 1, 1, 2}));
  const json condition = api.get(kPdbs + "/web")["status"]["conditions"][0];
  CHECK(condition["type"] == "DisruptionAllowed");
  CHECK(condition["status"] == "True");
  CHECK(condition["reason"] == "SufficientPods");
  CHECK(condition["message"] == "");
  CHECK(condition["observedGeneration"] == 1);
  CHECK_FALSE(condition.contains("lastProbeTime"));
  make_ready(api, "b", "False");
  CHECK(comes_to(api, {1, 1, 0, 2}));
  CHECK(api.get(kPdbs + "/web")["status"]["conditions"][0]["reason"] == "InsufficientPods");
}

TEST_CASE("a budget in shares counts what the pods' controllers want") {
  Api api;
  const DisruptionController controller(api.registry, *api.store, api.hub);
  json owner_object = deployment("web");
  owner_object["spec"]["replicas"] = 4;
  const json made = api.ok(api.call("POST", kDeployments, owner_object), 201);
  const json owner = {{"apiVersion", "apps/v1"},
                      {"kind", "Deployment"},
                      {"name", "web"},
                      {"uid", made["metadata"]["uid"]},
                      {"controller", true}};
  for (const char* name : {"a", "b", "c"}) {
    api.ok(api.call("POST", test::kPods, web_pod(name, owner)), 201);
    make_ready(api, name);
  }
  make_budget(api, {{"maxUnavailable", "30%"}});  // 1.2 of 4: two may be missing
  CHECK(comes_to(api, {3, 2, 1, 4}));
  json stranger = owner;
  stranger["name"] = "gone";
  stranger["uid"] = "gone";
  api.ok(api.call("POST", test::kPods, web_pod("d", stranger)), 201);
  const auto condition = [&] { return api.get(kPdbs + "/web")["status"]["conditions"][0]; };
  CHECK(comes_true([&] { return condition()["reason"] == "SyncFailed"; }));
  CHECK(api.get(kPdbs + "/web")["status"]["disruptionsAllowed"] == 0);
  CHECK(condition()["message"] == "found no controllers for pod \"d\": there is no Deployment \"gone\"");
}
