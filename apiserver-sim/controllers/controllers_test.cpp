#include "apiserver-sim/controllers/controllers.h"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <thread>

#include "apiserver-sim/controllers/handler_watch.h"
#include "apiserver-sim/controllers/launcher_pod.h"
#include "apiserver-sim/controllers/vmi_controller.h"
#include "apiserver-sim/controllers/vmi_lifecycle.h"
#include "apiserver-sim/test_support.h"
#include "common/timestamp.h"
#include "kube-sim/controllers/namespace_controller.h"
#include "kube-sim/controllers/node_lifecycle.h"
#include "kube-sim/controllers/scheduler.h"
#include "kube-sim/resources/pod.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::Api;
using test::comes_true;
using test::kMerge;
using test::kPods;
using test::kVmis;
using test::message;
using test::vmi;
using usbloop::format_time;
using usbloop::now_seconds;

namespace {

json node(std::int64_t heartbeat, const char* ready = "True", const char* name = "n1") {
  const json condition = {{"type", "Ready"}, {"status", ready}, {"lastHeartbeatTime", format_time(heartbeat)}};
  return {{"metadata", {{"name", name}, {"labels", {{"disk", "fast"}, {"kubevirt.io/schedulable", "true"}}}}},
          {"status", {{"conditions", json::array({condition})}, {"allocatable", {{"pods", "3"}}}}}};
}

json pod(const std::string& name, const json& selector = json::object()) {
  return {{"metadata", {{"name", name}}},
          {"spec", {{"nodeSelector", selector}, {"containers", json::array({{{"name", "c"}, {"image", "i"}}})}}}};
}

/// One for a guest.
json launcher(const std::string& name) {
  json object = pod(name);
  object["metadata"]["ownerReferences"] = json::array({{{"apiVersion", "kubevirt.io/v1"},
                                                        {"kind", "VirtualMachineInstance"},
                                                        {"name", name},
                                                        {"uid", "of-" + name},
                                                        {"controller", true}}});
  return object;
}

}  // namespace

TEST_CASE("a node takes pods when it is ready and open, and only those that select it") {
  CHECK(view_node(node(now_seconds())).ready);
  CHECK_FALSE(view_node(node(now_seconds(), "False")).ready);
  CHECK_FALSE(view_node(node(now_seconds(), "Unknown")).ready);
  CHECK_FALSE(view_node({{"metadata", {{"name", "n1"}}}}).ready);
  CHECK(view_node(node(now_seconds())).room == 3);
  json closed = node(now_seconds());
  closed["spec"]["unschedulable"] = true;
  CHECK_FALSE(view_node(closed).ready);
  const NodeView view = view_node(node(now_seconds()));
  CHECK(selects({}, view));
  CHECK(selects({{"disk", "fast"}}, view));
  CHECK_FALSE(selects({{"disk", "slow"}}, view));
  CHECK_FALSE(selects({{"disk", "fast"}, {"gpu", "yes"}}, view));
}

TEST_CASE("a pod gets a node as soon as there is one, until then it says that it has none") {
  Api api;
  const Scheduler scheduler(api.registry, *api.store, api.hub, what_nodes_run());
  api.ok(api.call("POST", kPods, launcher("before")), 201);
  CHECK(comes_true([&] {
    return api.get(kPods + "/before").value("/status/conditions/0/reason"_json_pointer, "") == "Unschedulable";
  }));
  CHECK(api.get(kPods + "/before")["status"]["conditions"][0]["message"] == "no nodes available to schedule pods");
  api.ok(api.call("POST", "/api/v1/nodes", node(now_seconds())), 201);
  api.call("PATCH", "/api/v1/nodes/n1/status", {{"status", node(now_seconds())["status"]}}, kMerge);
  api.ok(api.call("POST", kPods, launcher("after")), 201);
  for (const char* name : {"before", "after"}) {
    CAPTURE(name);
    CHECK(comes_true([&] { return api.get(kPods + "/" + name)["spec"].value("nodeName", "") == "n1"; }));
    CHECK(has_condition(api.get(kPods + "/" + name), "PodScheduled"));
  }
  CHECK(comes_true([&] {
    return api.get("/api/v1/namespaces/default/events?fieldSelector=reason%3DScheduled")["items"].size() == 2;
  }));
}

TEST_CASE("pods are spread over the nodes, and none gets more than it has room for") {
  Api api;
  for (const char* name : {"n1", "n2"}) {
    api.call("POST", "/api/v1/nodes", node(now_seconds(), "True", name));
    api.call("PATCH", std::string("/api/v1/nodes/") + name + "/status", {{"status", node(now_seconds())["status"]}},
             kMerge);
  }
  for (int i = 0; i < 8; ++i) api.call("POST", kPods, launcher("p" + std::to_string(i)));
  const Scheduler scheduler(api.registry, *api.store, api.hub, what_nodes_run());
  const auto on = [&](const std::string& name) {
    return api.get(kPods + "?fieldSelector=spec.nodeName%3D" + name)["items"];
  };
  CHECK(comes_true([&] { return on("n1").size() + on("n2").size() == 6; }));
  CHECK(on("n1").size() == 3);
  // Room that is freed is used.
  const std::string gone = on("n1")[0]["metadata"]["name"];
  CHECK(api.call("DELETE", kPods + "/" + gone + "?gracePeriodSeconds=0").code == 200);
  CHECK(comes_true([&] { return on("n1").size() == 3; }));
}

TEST_CASE("a pod that is no guest's waits and says why, goes when it is deleted, and takes no guest's place") {
  Api api;
  api.call("POST", "/api/v1/nodes", node(now_seconds()));
  api.call("PATCH", "/api/v1/nodes/n1/status", {{"status", node(now_seconds())["status"]}}, kMerge);
  // Bound by an older server, or by who made it.
  for (const char* name : {"old-1", "old-2", "old-3", "old-4"}) {
    json bound = pod(name);
    bound["spec"]["nodeName"] = "n1";
    bound["metadata"]["labels"] = {{"kubevirt.io", "virt-launcher"}, {"kubevirt.io/created-by", name}};
    api.ok(api.call("POST", kPods, bound), 201);
  }
  const Scheduler scheduler(api.registry, *api.store, api.hub, what_nodes_run());
  api.ok(api.call("POST", kPods, pod("nginx")), 201);
  const auto condition = [&] { return api.get(kPods + "/nginx").value("/status/conditions/0"_json_pointer, json()); };
  CHECK(comes_true([&] { return condition().is_object(); }));
  CHECK(condition()["type"] == "PodScheduled");
  CHECK(condition()["status"] == "False");
  CHECK(condition()["reason"] == "Unschedulable");
  CHECK(condition()["message"] ==
        "0/1 nodes are available: 1 node(s) run guests of KubeVirt only and have no container runtime.");
  CHECK(comes_true([&] {
    return api.get("/api/v1/namespaces/default/events?fieldSelector=reason%3DFailedScheduling")["items"].size() == 1;
  }));
  for (const char* name : {"p1", "p2", "p3"}) api.ok(api.call("POST", kPods, launcher(name)), 201);
  for (const char* name : {"p1", "p2", "p3"}) {
    CHECK(comes_true([&] { return api.get(kPods + "/" + name)["spec"].value("nodeName", "") == "n1"; }));
  }
  CHECK_FALSE(api.get(kPods + "/nginx")["spec"].contains("nodeName"));
  CHECK(api.call("DELETE", kPods + "/nginx").code == 200);
  CHECK(api.call("GET", kPods + "/nginx").code == 404);
}

TEST_CASE("the node of a VMI that was handed over is found again by its pod") {
  const json bound = {
      {"metadata", {{"uid", "p"}}},
      {"spec", {{"nodeName", "n1"}}},
      {"status", {{"phase", "Running"}, {"conditions", json::array({{{"type", "Ready"}, {"status", "True"}}})}}}};
  json lost = {{"metadata", {{"name", "demo"}, {"uid", "v"}}},
               {"status", {{"phase", "Running"}, {"activePods", {{"p", "n1"}}}}}};
  const json found = advance_vmi(lost, &bound, format_time(now_seconds()));
  CHECK(found["status"]["nodeName"] == "n1");
  CHECK(found["metadata"]["labels"]["kubevirt.io/nodeName"] == "n1");
  lost["status"]["nodeName"] = "n2";  // where it went says the status, not the pod
  lost["metadata"]["labels"] = {{"kubevirt.io/nodeName", "elsewhere"}};
  CHECK(advance_vmi(lost, &bound, format_time(now_seconds()))["metadata"]["labels"]["kubevirt.io/nodeName"] == "n2");
  lost["status"] = {{"phase", "Scheduling"}};
  json waiting = bound;
  waiting["status"] = json::object();
  CHECK_FALSE(advance_vmi(lost, &waiting, format_time(now_seconds()))["status"].contains("nodeName"));
}

TEST_CASE("a VMI gets a launcher pod, becomes Scheduled with it, and fails when it vanishes") {
  Api api;
  const VmiController controller(api.registry, *api.store, api.hub);
  const std::string path = std::string(kVmis) + "/demo";
  api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  const auto phase = [&] { return api.get(path).value("/status/phase"_json_pointer, ""); };
  REQUIRE(comes_true([&] { return phase() == "Scheduling"; }));
  const std::string uid = api.get(path)["metadata"]["uid"];
  const auto pods = [&] { return api.get(kPods + "?labelSelector=kubevirt.io%2Fcreated-by%3D" + uid)["items"]; };
  REQUIRE(pods().size() == 1);
  const std::string name = pods()[0]["metadata"]["name"];
  CHECK(name.starts_with("virt-launcher-demo-"));
  CHECK(pods()[0]["metadata"]["ownerReferences"][0]["uid"] == uid);
  CHECK(api.get(path)["status"]["activePods"] == json{{pods()[0]["metadata"]["uid"], ""}});

  const json bound = {{"spec", {{"nodeName", "n1"}}}};
  api.user.name = "system:kube-scheduler";
  api.ok(api.call("PATCH", kPods + "/" + name, bound, kMerge));
  api.user = test::admin();
  CHECK(phase() == "Scheduling");
  const json ready = {{"type", "Ready"}, {"status", "True"}};
  api.ok(api.call("PATCH", kPods + "/" + name + "/status",
                  {{"status", {{"phase", "Running"}, {"conditions", json::array({ready})}}}}, kMerge));
  CHECK(comes_true([&] { return phase() == "Scheduled"; }));
  const json scheduled = api.get(path);
  CHECK(scheduled["status"]["nodeName"] == "n1");
  CHECK(scheduled["metadata"]["labels"]["kubevirt.io/nodeName"] == "n1");

  api.ok(api.call("DELETE", kPods + "/" + name + "?gracePeriodSeconds=0"));
  CHECK(comes_true([&] { return phase() == "Failed"; }));
  CHECK(pods().empty());  // a VMI that is over gets no other pod
}

TEST_CASE("a deleted VMI goes after its pod, and a pod that is bound goes after its node has let it go") {
  Api api;
  const VmiController controller(api.registry, *api.store, api.hub);
  const std::string path = std::string(kVmis) + "/demo";
  api.ok(api.call("POST", kVmis, vmi("demo")), 201);
  REQUIRE(comes_true([&] { return api.get(kPods)["items"].size() == 1; }));
  const std::string pod_path = kPods + "/" + api.get(kPods)["items"][0]["metadata"]["name"].get<std::string>();
  api.user = test::node_user();
  api.ok(api.call("PATCH", path, {{"status", {{"nodeName", "n1"}, {"phase", "Running"}}}}, kMerge));
  api.user.name = "system:kube-scheduler";
  api.ok(api.call("PATCH", pod_path, {{"spec", {{"nodeName", "n1"}}}}, kMerge));
  api.user = test::admin();
  api.ok(api.call("DELETE", path));
  CHECK(comes_true([&] { return api.get(pod_path)["metadata"].contains("deletionTimestamp"); }));
  CHECK(api.get(path)["status"]["phase"] == "Running");
  api.merge_as_node(path, {{"status", {{"phase", "Succeeded"}}}});
  api.ok(api.call("DELETE", pod_path + "?gracePeriodSeconds=0"));
  CHECK(comes_true([&] { return api.call("GET", path).code == 404; }));
}

TEST_CASE("a launcher pod gets more time than its guest, and no number runs over") {
  const auto grace_of_pod = [](const json& grace) {
    json object = vmi("demo");
    object["metadata"]["uid"] = "u";
    if (!grace.is_null()) object["spec"]["terminationGracePeriodSeconds"] = grace;
    return launcher_pod(object)["spec"]["terminationGracePeriodSeconds"].get<std::int64_t>();
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  CHECK(grace_of_pod(nullptr) == 45);
  CHECK(grace_of_pod(0) == 15);
  CHECK(grace_of_pod(3600) == 3615);
  CHECK(grace_of_pod(-5) == 10);
  CHECK(grace_of_pod(kMost) == kMost);
  CHECK(grace_of_pod(std::numeric_limits<std::int64_t>::min()) < 0);
}

TEST_CASE("a pod that is deleted with any grace period goes at a time that can be written") {
  Api api;
  const auto deleted = [&](const char* name, const json& own, const std::string& query) {
    json bound = pod(name);
    bound["spec"]["nodeName"] = "n1";
    if (!own.is_null()) bound["spec"]["terminationGracePeriodSeconds"] = own;
    api.ok(api.call("POST", kPods, bound), 201);
    return api.ok(api.call("DELETE", kPods + "/" + name + query))["metadata"];
  };
  CHECK(deleted("none", nullptr, "")["deletionGracePeriodSeconds"] == 30);
  CHECK(deleted("negative", -5, "")["deletionGracePeriodSeconds"] == 1);
  CHECK(deleted("asked", 30, "?gracePeriodSeconds=-1")["deletionGracePeriodSeconds"] == 1);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const json endless = deleted("endless", most, "");
  CHECK(endless["deletionGracePeriodSeconds"] == most);
  CHECK(endless["deletionTimestamp"] == "9999-12-31T23:59:59Z");
  CHECK(deleted("wished", 1, "?gracePeriodSeconds=9223372036854775807")["deletionTimestamp"] == "9999-12-31T23:59:59Z");
}

TEST_CASE("a node that has fallen silent is no longer ready, and neither are its pods") {
  Api api;
  api.call("POST", "/api/v1/nodes", node(now_seconds() - 100));
  api.call("PATCH", "/api/v1/nodes/n1/status", {{"status", node(now_seconds() - 100)["status"]}}, kMerge);
  json bound = pod("p");
  bound["spec"]["nodeName"] = "n1";
  api.ok(api.call("POST", kPods, bound), 201);
  const json ready = {{"type", "Ready"}, {"status", "True"}};
  api.ok(api.call("PATCH", kPods + "/p/status", {{"status", {{"conditions", json::array({ready})}}}}, kMerge));
  const NodeLifecycle lifecycle(api.registry, *api.store, api.hub);
  CHECK(comes_true([&] { return api.get("/api/v1/nodes/n1")["status"]["conditions"][0]["status"] == "Unknown"; }));
  CHECK(api.get("/api/v1/nodes/n1")["spec"]["taints"].size() == 2);
  CHECK(comes_true([&] { return api.get(kPods + "/p")["status"]["conditions"][0]["status"] == "False"; }));
}

TEST_CASE("a node lives as long as it renews its lease") {
  Api api;
  api.call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "kube-node-lease"}}}});
  api.call("POST", "/api/v1/nodes", node(now_seconds() - 100));
  api.call("PATCH", "/api/v1/nodes/n1/status", {{"status", node(now_seconds() - 100)["status"]}}, kMerge);
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  const auto lease = [](std::int64_t renewed) -> json { return {{"spec", {{"renewTime", format_time(renewed)}}}}; };
  json first = lease(now_seconds());
  first["metadata"]["name"] = "n1";
  api.ok(api.call("POST", leases, first), 201);
  const NodeLifecycle lifecycle(api.registry, *api.store, api.hub, {.grace = std::chrono::seconds(4)});
  const auto status = [&] { return api.get("/api/v1/nodes/n1").value("/status/conditions/0/status"_json_pointer, ""); };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (std::chrono::steady_clock::now() < end) {
    api.ok(api.call("PATCH", leases + "/n1", lease(now_seconds()), kMerge));
    REQUIRE(status() == "True");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(comes_true([&] { return status() == "Unknown"; }));
}

TEST_CASE("a node whose virt-handler has fallen silent takes no more guests, one that speaks keeps its label") {
  Api api;
  const auto add = [&](const char* name, std::int64_t word) {
    json made = node(now_seconds(), "True", name);
    made["metadata"]["annotations"]["kubevirt.io/heartbeat"] = format_time(word);
    api.ok(api.call("POST", "/api/v1/nodes", made), 201);
  };
  const auto schedulable = [&](const char* name) {
    return api.get(std::string("/api/v1/nodes/") + name)["metadata"]["labels"]["kubevirt.io/schedulable"];
  };
  add("silent", now_seconds() - 400);
  add("speaks", now_seconds() - 200);
  const HandlerWatch watch(api.registry, *api.store, api.hub, std::chrono::seconds(300));
  CHECK(comes_true([&] { return schedulable("silent") == "false"; }));
  const auto told = [&] {
    const json events = api.get("/api/v1/namespaces/default/events")["items"];
    return events.size() == 1 && events[0]["reason"] == "NodeUnresponsive" &&
           events[0]["involvedObject"]["name"] == "silent";
  };
  CHECK(comes_true(told));
  CHECK(schedulable("speaks") == "true");
}

TEST_CASE("the pods of a node that is no longer there are removed") {
  Api api;
  json bound = pod("p");
  bound["spec"]["nodeName"] = "lost";
  api.ok(api.call("POST", kPods, bound), 201);
  const NodeLifecycle lifecycle(api.registry, *api.store, api.hub, {.grace = std::chrono::seconds(1)});
  CHECK(comes_true([&] { return api.call("GET", kPods + "/p").code == 404; }));
}

TEST_CASE("a deleted namespace goes with what is in it, after the last finalizer") {
  Api api;
  const NamespaceController controller(api.registry, *api.store, api.hub);
  const std::string name = "/api/v1/namespaces/lab";
  const std::string vmis = "/apis/kubevirt.io/v1/namespaces/lab/virtualmachineinstances";
  api.ok(api.call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "lab"}}}}), 201);
  api.call("POST", vmis, vmi("loose"));
  api.call("POST", vmis, vmi("held"));
  api.merge_as_node(vmis + "/held", {{"status", {{"nodeName", "n1"}}}});
  CHECK(api.ok(api.call("DELETE", name))["status"]["phase"] == "Terminating");
  CHECK(comes_true([&] { return api.get(vmis + "/loose").is_null(); }));
  CHECK(comes_true([&] { return api.get(vmis + "/held")["metadata"].contains("deletionTimestamp"); }));
  const Response refused = api.call("POST", vmis, vmi("late"));
  CHECK(refused.code == 403);
  CHECK(json::parse(refused.body)["message"] ==
        "virtualmachineinstances.kubevirt.io \"late\" is forbidden: unable to create new content in namespace lab "
        "because it is being terminated");
  api.call("PATCH", vmis + "/held", {{"metadata", {{"finalizers", nullptr}}}}, kMerge);
  CHECK(comes_true([&] { return api.call("GET", name).code == 404; }));
}

TEST_CASE("the namespaces that Kubernetes lives in stay") {
  Api api;
  const Response refused = api.call("DELETE", "/api/v1/namespaces/default");
  CHECK(refused.code == 403);
  const json status = json::parse(refused.body);
  CHECK(status["message"] == "namespaces \"default\" is forbidden: this namespace may not be deleted");
  CHECK(status["reason"] == "Forbidden");
  CHECK(status["details"] == json{{"name", "default"}, {"kind", "namespaces"}});
  CHECK(api.call("GET", "/api/v1/namespaces/default").code == 200);
}
