#include "launcher-sim/pod_status.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "launcher-sim/node_agent.h"

using namespace usbloop::launcher;
using nlohmann::json;

namespace {

constexpr const char* kTime = "2026-01-02T03:04:05Z";

json pod() {
  return json::parse(R"({
    "metadata": {"name": "virt-launcher-demo-x", "namespace": "default", "uid": "p",
                 "ownerReferences": [{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "name": "demo",
                                      "uid": "v", "controller": true}]},
    "spec": {"nodeName": "node-a", "containers": [{"name": "compute", "image": "i"}]},
    "status": {"phase": "Pending"}})");
}

json applied(const json& patch) {
  json object = pod();
  object.merge_patch(patch);
  return object;
}

}  // namespace

TEST_CASE("a pod that is reported running is ready, has an address, and is that very pod") {
  const json patch = pod_running(pod(), "127.0.0.1", kTime);
  CHECK(patch["metadata"] == json{{"uid", "p"}});
  CHECK_FALSE(pod_view(pod()).runs);
  const json running = applied(patch);
  CHECK(pod_view(running).runs);
  CHECK(running["status"]["podIP"] == "127.0.0.1");
  CHECK(running["status"]["startTime"] == kTime);
  CHECK(running["status"]["containerStatuses"][0]["name"] == "compute");
  CHECK(running["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] == kTime);
}

TEST_CASE("a pod that is reported ended says how") {
  const json well = applied(pod_ended(pod(), true, kTime));
  CHECK(pod_view(well).over);
  CHECK_FALSE(pod_view(well).runs);
  CHECK(well["status"]["phase"] == "Succeeded");
  CHECK(well["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed");
  const json badly = applied(pod_ended(pod(), false, kTime));
  CHECK(badly["status"]["phase"] == "Failed");
  CHECK(badly["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1);
}

TEST_CASE("a pod that is none of KubeVirt's is rejected as a kubelet does it") {
  const json patch = pod_rejected(pod(), kTime);
  CHECK(patch["metadata"] == json{{"uid", "p"}});
  CHECK(pod_view(applied(patch)).over);
  CHECK(patch["status"]["reason"] == "NoContainerRuntime");
  CHECK(patch["status"]["message"] ==
        "Pod was rejected: the node runs guests of KubeVirt only and has no container runtime");
}

TEST_CASE("a pod that is being deleted says how long its guest may take") {
  json object = pod();
  object["metadata"]["deletionGracePeriodSeconds"] = 7;
  CHECK_FALSE(pod_view(object).grace);
  object["metadata"]["deletionTimestamp"] = kTime;
  CHECK(pod_view(object).grace == std::chrono::seconds(7));
  object["metadata"]["deletionGracePeriodSeconds"] = "7";
  CHECK_FALSE(pod_view(object).grace);
}

TEST_CASE("pods are told apart by their owners and not by labels, whatever their shape") {
  json foreign = pod();
  foreign["metadata"].erase("ownerReferences");
  foreign["metadata"]["labels"] = {{"kubevirt.io", "virt-launcher"}, {"kubevirt.io/created-by", "v"}};
  CHECK(vmi_uid_of(foreign).empty());
  foreign["metadata"]["labels"] = {{"kubevirt.io", "virt-handler"}};
  CHECK_FALSE(is_handler_pod(foreign));
  json handler = handler_pod("node-a");
  handler["metadata"]["namespace"] = "kubevirt";
  CHECK(is_handler_pod(handler));
  CHECK(vmi_uid_of(pod()) == "v");
  CHECK(handler_pod("node-a")["spec"]["nodeName"] == "node-a");
  CHECK(vmi_uid_of(handler_pod("node-a")).empty());
  for (const char* text :
       {"{}", R"({"metadata":{"labels":[],"ownerReferences":[1]},"status":7})", R"({"spec":{"containers":{}}})"}) {
    CAPTURE(text);
    const json object = json::parse(text);
    CHECK(vmi_uid_of(object).empty());
    CHECK_FALSE(pod_view(object).runs);
    CHECK_NOTHROW(pod_running(object, "a", kTime));
    CHECK_NOTHROW(pod_ended(object, true, kTime));
  }
}

TEST_CASE("a node's conditions keep the time of their last change") {
  const json first = node_conditions(true, nullptr, kTime);
  const json later = node_conditions(true, first, "2026-01-02T03:05:00Z");
  const json gone = node_conditions(false, later, "2026-01-02T03:06:00Z");
  CHECK(later[3]["type"] == "Ready");
  CHECK(later[3]["lastHeartbeatTime"] == "2026-01-02T03:05:00Z");
  CHECK(later[3]["lastTransitionTime"] == kTime);
  CHECK(gone[3]["status"] == "False");
  CHECK(gone[3]["lastTransitionTime"] == "2026-01-02T03:06:00Z");
  CHECK(gone[0]["lastTransitionTime"] == kTime);
}
