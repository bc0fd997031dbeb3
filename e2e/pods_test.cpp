// The objects around a guest (its launcher pod, its VM, the node and its heartbeat), and what becomes of them when
// something dies.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "e2e/harness/loop.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;

namespace {

const std::string kPods = "/api/v1/namespaces/default/pods";
const std::string kVms = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";

bool process_exists(pid_t pid) {
  reap_orphans();
  return ::kill(pid, 0) == 0;
}

/// Empty when there is no such object: it may be gone for a moment, between the old one and the new.
json get(Loop& loop, const std::string& path) {
  const auto answer = loop.api().get(path);
  return answer.status == 200 ? answer.json() : json::object();
}

json items(Loop& loop, const std::string& path) { return get(loop, path).value("items", json::array()); }

json pods_of(Loop& loop, const std::string& vmi_uid) {
  return items(loop, kPods + "?labelSelector=kubevirt.io%2Fcreated-by%3D" + vmi_uid);
}

std::string condition(const json& object, const std::string& type) {
  for (const auto& entry : object.value("/status/conditions"_json_pointer, json::array())) {
    if (entry.at("type") == type) return entry.at("status").get<std::string>();
  }
  return {};
}

std::string phase(const json& object) { return object.value("/status/phase"_json_pointer, ""); }

std::size_t events(Loop& loop, const std::string& kind, const std::string& reason) {
  return items(loop,
               "/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3D" + kind + ",reason%3D" + reason)
      .size();
}

/// A VM of the loop, by its name.
struct Vm {
  Loop& loop;
  std::string name;

  Vm(Loop& the_loop, std::string the_name, const std::string& strategy) : loop(the_loop), name(std::move(the_name)) {
    json spec = vmi_manifest(name).at("spec");
    const json manifest = {{"metadata", {{"name", name}}},
                           {"spec", {{"runStrategy", strategy}, {"template", {{"spec", std::move(spec)}}}}}};
    REQUIRE(loop.api().create(kVms, manifest).status == 201);
  }
  [[nodiscard]] json object() const { return get(loop, kVms + "/" + name); }
  [[nodiscard]] json vmi() const { return get(loop, vmis_path() + "/" + name); }
  [[nodiscard]] std::string uid() const { return vmi().value("/metadata/uid"_json_pointer, ""); }
  void wait_status(const std::string& status, milliseconds timeout = 40s) const {
    wait_until("VM " + name + " to be " + status, timeout,
               [&] { return object().value("/status/printableStatus"_json_pointer, "") == status; });
  }
  void set_strategy(const std::string& strategy) const {
    REQUIRE(loop.api().merge_patch(kVms + "/" + name, {{"spec", {{"runStrategy", strategy}}}}).status == 200);
  }
};

}  // namespace

TEST_CASE("a VMI has one launcher pod, which runs while it runs and goes with it, a node has one handler pod") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo");
  vmi.wait_phase("Running");
  const json pods = pods_of(loop, vmi.uid());
  REQUIRE(pods.size() == 1);
  const json& pod = pods[0];
  CHECK(pod.at("metadata").at("name").get<std::string>().starts_with("virt-launcher-demo-"));
  CHECK(pod.at("spec").at("nodeName") == "node-a");
  CHECK(phase(pod) == "Running");
  CHECK(condition(pod, "Ready") == "True");
  CHECK_FALSE(pod.at("status").at("podIP").get<std::string>().empty());
  CHECK(vmi.object().at("status").at("activePods") == json{{pod.at("metadata").at("uid"), "node-a"}});
  CHECK(condition(vmi.object(), "Ready") == "True");
  CHECK(events(loop, "VirtualMachineInstance", "SuccessfulCreate") == 1);
  CHECK(events(loop, "Pod", "Scheduled") == 1);

  const json handlers = items(loop, "/api/v1/namespaces/kubevirt/pods?labelSelector=kubevirt.io%3Dvirt-handler");
  REQUIRE(handlers.size() == 1);
  CHECK(condition(handlers[0], "Ready") == "True");
  vmi.remove();
  CHECK(holds_within(5s, [&] { return pods_of(loop, vmi.uid()).empty(); }));
}

TEST_CASE("a launcher pod that is deleted takes its guest with it, and the VMI has failed") {
  const CaseDir dir;
  Loop loop(dir);
  const Vmi vmi(loop, "demo");
  vmi.wait_phase("Running");
  const pid_t qemu = vmi.qemu_pid();
  const std::string pod = pods_of(loop, vmi.uid())[0].at("metadata").at("name");
  SUBCASE("in order") { CHECK(loop.api().remove(kPods + "/" + pod).status == 200); }
  SUBCASE("by force") { CHECK(loop.api().remove(kPods + "/" + pod + "?gracePeriodSeconds=0").status == 200); }
  vmi.wait_phase("Failed", 20s);
  CHECK(holds_within(10s, [&] { return !process_exists(qemu); }));
  CHECK(holds_within(10s, [&] { return pods_of(loop, vmi.uid()).empty(); }));
}

TEST_CASE("a deleted handler pod is replaced") {
  const CaseDir dir;
  Loop loop(dir);
  const std::string path = "/api/v1/namespaces/kubevirt/pods";
  wait_until("the handler pod", 10s, [&] { return items(loop, path).size() == 1; });
  const std::string name = items(loop, path)[0].at("metadata").at("name");
  CHECK(loop.api().remove(path + "/" + name).status == 200);
  wait_until("another handler pod", 10s, [&] {
    const json pods = items(loop, path);
    return pods.size() == 1 && pods[0].at("metadata").at("name") != name && condition(pods[0], "Ready") == "True";
  });
}

TEST_CASE("a pod that is no guest's is rejected by the node it is bound to, and goes when it is deleted") {
  const CaseDir dir;
  Loop loop(dir, {.launcher_options = {"--max-vmis", "1"}});
  const json spec = {{"nodeName", "node-a"}, {"containers", json::array({{{"name", "c"}, {"image", "nginx"}}})}};
  for (const char* name : {"a", "b", "c"}) {
    CHECK(loop.api().create(kPods, {{"metadata", {{"name", name}}}, {"spec", spec}}).status == 201);
    wait_until("the pod to be rejected", 30s, [&] { return phase(get(loop, kPods + "/" + name)) == "Failed"; });
    CHECK(get(loop, kPods + "/" + name).at("status").at("reason") == "NoContainerRuntime");
  }
  CHECK(events(loop, "Pod", "NoContainerRuntime") == 3);
  Vmi vmi(loop, "demo");
  vmi.wait_phase("Running");
  CHECK(loop.api().remove(kPods + "/a").status == 200);
  CHECK(loop.api().remove(kPods + "/b?gracePeriodSeconds=0").status == 200);
  for (const char* name : {"a", "b"}) {
    wait_until("the pod to be gone", 30s, [&] { return loop.api().get(kPods + "/" + name).status == 404; });
  }
  // Bound and deleted while no node was there to see it.
  loop.launcher().kill_hard();
  CHECK(loop.api().create(kPods, {{"metadata", {{"name", "late"}}}, {"spec", spec}}).status == 201);
  CHECK(loop.api().remove(kPods + "/late").status == 200);
  CHECK(get(loop, kPods + "/late").at("metadata").contains("deletionTimestamp"));
  loop.start_launcher();
  wait_until("the pod to be gone", 30s, [&] { return loop.api().get(kPods + "/late").status == 404; });
  CHECK(phase(vmi.object()) == "Running");
}

TEST_CASE("a VM runs its VMI again after a crash, and stops it when it is halted") {
  const CaseDir dir;
  Loop loop(dir);
  const Vm vm(loop, "demo", "Always");
  vm.wait_status("Running");
  wait_until("the VM to be ready", 5s, [&] { return condition(vm.object(), "Ready") == "True"; });
  const std::string first = vm.uid();
  const pid_t qemu = std::stoi(read_file(loop.run_dir("node-a") / first / "qemu.pid"));
  ::kill(qemu, SIGKILL);
  wait_until("a new VMI", 20s, [&] { return !vm.uid().empty() && vm.uid() != first; });
  vm.wait_status("Running");
  vm.set_strategy("Halted");
  vm.wait_status("Stopped");  // as soon as its VMI is final, which goes a moment later
  wait_until("the VMI to be gone", 10s, [&] { return vm.vmi().empty(); });
  CHECK(loop.api().remove(kVms + "/demo").status == 200);
  wait_until("the VM to be gone", 10s, [&] { return vm.object().empty(); });
  CHECK(items(loop, kPods).empty());
}

TEST_CASE("each daemon is killed while a VM starts: it comes up all the same, once") {
  const CaseDir dir;
  Loop loop(dir);
  const Vm vm(loop, "demo", "Always");
  wait_until("its VMI", 10s, [&] { return !vm.vmi().empty(); });
  loop.apiserver().kill_hard();
  loop.launcher().kill_hard();
  loop.start_apiserver();
  loop.start_launcher();
  vm.wait_status("Running", 60s);
  const std::string uid = vm.uid();
  CHECK(pods_of(loop, uid).size() == 1);
  CHECK(items(loop, vmis_path()).size() == 1);
  loop.launcher().kill_hard();
  loop.start_launcher();
  wait_until("the node to look at its pods again", 10s,
             [&] { return items(loop, "/api/v1/namespaces/kubevirt/pods").size() == 1; });
  CHECK(vm.uid() == uid);
  CHECK(phase(vm.vmi()) == "Running");
}

TEST_CASE("a node that falls silent is not ready, nor are its pods and VMIs, until it speaks again") {
  const CaseDir dir;
  Loop loop(dir, {.apiserver_options = {"--node-monitor-grace-period", "15"}});
  const Vmi vmi(loop, "demo");
  vmi.wait_phase("Running");
  const auto node = [&] { return get(loop, "/api/v1/nodes/node-a"); };
  CHECK(get(loop, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-a")
            .at("spec")
            .at("holderIdentity") == "node-a");
  loop.launcher().kill_hard();
  wait_until("the node to be Unknown", 40s, [&] { return condition(node(), "Ready") == "Unknown"; });
  wait_until("the pod not to be ready", 5s, [&] { return condition(pods_of(loop, vmi.uid())[0], "Ready") == "False"; });
  wait_until("the VMI not to be ready", 5s, [&] { return condition(vmi.object(), "Ready") == "False"; });
  CHECK(phase(vmi.object()) == "Running");  // nobody knows better
  loop.start_launcher();
  wait_until("the node to be ready", 10s, [&] { return condition(node(), "Ready") == "True"; });
  wait_until("the VMI to be ready", 10s, [&] { return condition(vmi.object(), "Ready") == "True"; });
  wait_until("the taints to go", 5s, [&] { return node().value("/spec/taints"_json_pointer, json()).is_null(); });
}
