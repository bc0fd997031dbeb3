#include "launcher-sim/node_agent.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/json_at.h"
#include "common/kube/versions.h"
#include "common/log.h"
#include "common/stop_wait.h"
#include "common/timestamp.h"
#include "launcher-sim/machine_identity.h"
#include "launcher-sim/node_pods.h"
#include "launcher-sim/vmi_status.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto kHeartbeat = 10s;
constexpr auto kRetry = 1s;
/// virt-handler speaks up once a minute: every so many heartbeats.
constexpr int kBeatsPerWord = 6;
constexpr int kLeaseSeconds = 40;
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

std::string now_with_microseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count() % 1'000'000;
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(micros));
  std::string text = format_time(now_seconds());
  text.pop_back();
  return text + fraction.data();
}

json known_condition(const json& known, const std::string& type) {
  for (const json& condition : known.is_array() ? known : json::array()) {
    if (text_at(condition, "/type") == type) return condition;
  }
  return json::object();
}

}  // namespace

json machine_facts() {
  utsname names{};
  ::uname(&names);
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  const MachineIdentity identity = read_machine_identity();
  return {{"cpu", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
          {"memory", std::to_string(pages / 1024 * page) + "Ki"},
          {"kernelVersion", names.release},
          {"bootID", identity.boot_id},
          {"machineID", identity.machine_id},
          {"systemUUID", identity.system_uuid},
          {"osImage", identity.os_image}};
}

json node_object(const NodeDescription& node, const json& machine) {
  const json capacity = {{"cpu", machine.at("cpu")},
                         {"memory", machine.at("memory")},
                         {"pods", std::to_string(node.max_vmis + 1)},  // and virt-handler's
                         {"devices.kubevirt.io/kvm", node.accelerator == "kvm" ? "1k" : "0"}};
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata",
           {{"name", node.name},
            {"labels",
             {{"kubernetes.io/hostname", node.name},
              {"kubernetes.io/arch", "amd64"},
              {"kubernetes.io/os", "linux"},
              {"node-role.kubernetes.io/worker", ""},
              {"kubevirt.io/schedulable", "true"}}},
            {"annotations",
             {{"usbloop.dev/channel", "unix:" + node.channel_path},
              {"kubevirt.io/heartbeat", format_time(now_seconds())}}}}},
          {"status",
           {{"capacity", capacity},
            {"allocatable", capacity},
            {"addresses", json::array({{{"type", "InternalIP"}, {"address", node.address}},
                                       {{"type", "Hostname"}, {"address", node.name}}})},
            {"nodeInfo",
             {{"architecture", "amd64"},
              {"operatingSystem", "linux"},
              {"kernelVersion", machine.at("kernelVersion")},
              {"kubeletVersion", kube::kKubernetesVersion},
              {"containerRuntimeVersion", "qemu://" + node.accelerator},
              {"kubeProxyVersion", ""},  // there is none; kubelet has left it empty since it is deprecated
              {"bootID", machine.at("bootID")},
              {"machineID", machine.at("machineID")},
              {"systemUUID", machine.at("systemUUID")},
              {"osImage", machine.at("osImage")}}}}}};
}

json node_conditions(bool ready, const json& known, const std::string& now) {
  json conditions = json::array();
  const auto add = [&](const char* type, bool holds, const char* reason, const char* message) {
    const json before = known_condition(known, type);
    const std::string status = holds ? "True" : "False";
    const bool same = text_at(before, "/status") == status && !text_at(before, "/lastTransitionTime").empty();
    conditions.push_back({{"type", type},
                          {"status", status},
                          {"lastHeartbeatTime", now},
                          {"lastTransitionTime", same ? text_at(before, "/lastTransitionTime") : now},
                          {"reason", reason},
                          {"message", message}});
  };
  add("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available");
  add("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure");
  add("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available");
  if (ready) {
    add("Ready", true, "KubeletReady", "the node runs guests");
  } else {
    add("Ready", false, "NodeShutdown", "the node is shutting down");
  }
  return conditions;
}

json node_lease(const std::string& node, const std::string& node_uid, const std::string& now) {
  json metadata = {{"name", node}, {"namespace", "kube-node-lease"}};
  if (!node_uid.empty()) {
    metadata["ownerReferences"] =
        json::array({{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}, {"uid", node_uid}}});
  }
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", std::move(metadata)},
          {"spec", {{"holderIdentity", node}, {"leaseDurationSeconds", kLeaseSeconds}, {"renewTime", now}}}};
}

NodeAgent::NodeAgent(const kube::RestClient& client, NodeDescription node) : client_(client), node_(std::move(node)) {}

Result<> NodeAgent::register_node(const std::stop_token& stop) {
  json object = node_object(node_, machine_facts());
  json status = object["status"];
  const std::string path = "/api/v1/nodes/" + node_.name;
  auto done = client_.patch(path, kube::PatchType::merge, object, stop);
  if (!done && done.error().kind == ErrorKind::not_found) done = client_.create("/api/v1/nodes", object, stop);
  if (!done) return tl::unexpected(done.error());
  node_uid_ = text_at(*done, "/metadata/uid");
  status["conditions"] = node_conditions(true, at(*done, "/status/conditions"), format_time(now_seconds()));
  // The status has a path of its own and is not taken from there.
  done = client_.patch(path + "/status", kube::PatchType::merge, {{"status", std::move(status)}}, stop);
  if (!done) return tl::unexpected(done.error());
  return renew_lease(stop);
}

Result<> NodeAgent::renew_lease(const std::stop_token& stop) const {
  const json lease = node_lease(node_.name, node_uid_, now_with_microseconds());
  auto done = client_.patch(std::string(kLeases) + "/" + node_.name, kube::PatchType::merge, lease, stop);
  if (!done && done.error().kind == ErrorKind::not_found) done = client_.create(kLeases, lease, stop);
  if (!done) return tl::unexpected(done.error());
  return {};
}

bool NodeAgent::is_as_registered(const json& node) const {
  return text_at(known_condition(at(node, "/status/conditions"), "Ready"), "/status") == "True" &&
         text_at(node, "/metadata/annotations/usbloop.dev~1channel") == "unix:" + node_.channel_path &&
         text_at(node, "/metadata/labels/kubevirt.io~1schedulable") == "true";
}

Result<> NodeAgent::heartbeat(const std::stop_token& stop) {
  if (auto renewed = renew_lease(stop); !renewed) return renewed;
  const std::string path = "/api/v1/nodes/" + node_.name;
  const auto node = client_.get(path, stop);
  if (!node && node.error().kind != ErrorKind::not_found) return tl::unexpected(node.error());
  if (!node || !is_as_registered(*node)) {
    beats_ = 0;
    return register_node(stop);
  }
  if (++beats_ < kBeatsPerWord) return {};
  beats_ = 0;
  const json word = {{"metadata", {{"annotations", {{"kubevirt.io/heartbeat", format_time(now_seconds())}}}}}};
  if (auto done = client_.patch(path, kube::PatchType::merge, word, stop); !done) return tl::unexpected(done.error());
  return {};
}

void NodeAgent::run(const std::stop_token& stop, const std::function<void()>& registered) {
  bool is_registered = false;
  bool failing = false;
  auto pause = std::chrono::milliseconds::zero();
  while (wait_unless_stopped(stop, pause)) {
    const auto done = is_registered ? heartbeat(stop) : register_node(stop);
    if (stop.stop_requested()) return;
    if (!done && !failing) spdlog::warn("the node is not refreshed: {}; trying again", done.error().message());
    if (done && failing) spdlog::info("the node is refreshed again");
    failing = !done;
    if (done && !is_registered) {
      is_registered = true;
      registered();
    }
    pause = done ? std::chrono::milliseconds(kHeartbeat) : kRetry;
  }
}

Result<> NodeAgent::say_goodbye() const {
  const std::string path = "/api/v1/nodes/" + node_.name;
  const json change = {
      {"metadata",
       {{"annotations", {{"usbloop.dev/channel", nullptr}}}, {"labels", {{"kubevirt.io/schedulable", "false"}}}}}};
  auto done = client_.patch(path, kube::PatchType::merge, change);
  if (!done) return tl::unexpected(done.error());
  const json status = {
      {"status",
       {{"conditions", node_conditions(false, at(*done, "/status/conditions"), format_time(now_seconds()))}}}};
  done = client_.patch(path + "/status", kube::PatchType::merge, status);
  if (!done) return tl::unexpected(done.error());
  return remove_handlers(client_, node_.name);
}

}  // namespace usbloop::launcher
