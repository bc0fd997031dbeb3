#include "launcher-sim/node_agent.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "common/log.h"
#include "launcher-sim/vmi_status.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto kHeartbeat = 10s;
constexpr auto kRetry = 1s;

/// The machine we run on, as node objects tell it.
json machine_facts() {
  utsname names{};
  ::uname(&names);
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  return {{"cpu", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
          {"memory", std::to_string(pages / 1024 * page) + "Ki"},
          {"kernelVersion", names.release}};
}

}  // namespace

json node_object(const NodeDescription& node, const json& machine) {
  const json capacity = {{"cpu", machine.at("cpu")},
                         {"memory", machine.at("memory")},
                         {"pods", std::to_string(node.max_vmis)},
                         {"devices.kubevirt.io/kvm", node.accelerator == "kvm" ? "1k" : "0"}};
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata",
           {{"name", node.name},
            {"labels",
             {{"kubernetes.io/hostname", node.name},
              {"kubernetes.io/arch", "amd64"},
              {"kubernetes.io/os", "linux"},
              {"kubevirt.io/schedulable", "true"}}},
            {"annotations", {{"usbloop.dev/channel", "unix:" + node.channel_path}}}}},
          {"status",
           {{"capacity", capacity},
            {"allocatable", capacity},
            {"addresses", json::array({{{"type", "Hostname"}, {"address", node.name}}})},
            {"nodeInfo",
             {{"architecture", "amd64"},
              {"operatingSystem", "linux"},
              {"kernelVersion", machine.at("kernelVersion")},
              {"kubeletVersion", "v1.32.4"},
              {"containerRuntimeVersion", "qemu://" + node.accelerator},
              {"osImage", "Linux"}}}}}};
}

json ready_status(bool ready, const std::string& now) {
  json condition = {{"type", "Ready"}, {"status", ready ? "True" : "False"}, {"lastHeartbeatTime", now}};
  condition["reason"] = ready ? "KubeletReady" : "NodeShutdown";
  condition["message"] = ready ? "the node runs guests" : "the node is shutting down";
  return {{"conditions", json::array({std::move(condition)})}};
}

NodeAgent::NodeAgent(const kube::RestClient& client, NodeDescription node) : client_(client), node_(std::move(node)) {}

Result<> NodeAgent::register_node(const std::stop_token& stop) const {
  json object = node_object(node_, machine_facts());
  json status = object["status"];
  status.update(ready_status(true, rfc3339_now()));
  const std::string path = "/api/v1/nodes/" + node_.name;
  auto done = client_.patch(path, kube::PatchType::merge, object, stop);
  if (!done && done.error().kind == ErrorKind::not_found) done = client_.create("/api/v1/nodes", object, stop);
  // The status has a path of its own and is not taken from there.
  if (done) done = client_.patch(path + "/status", kube::PatchType::merge, {{"status", std::move(status)}}, stop);
  if (!done) return tl::unexpected(done.error());
  return {};
}

Result<> NodeAgent::heartbeat(const std::stop_token& stop) const {
  const json patch = {{"status", ready_status(true, rfc3339_now())}};
  auto done = client_.patch("/api/v1/nodes/" + node_.name + "/status", kube::PatchType::merge, patch, stop);
  if (done) return {};
  if (done.error().kind == ErrorKind::not_found) return register_node(stop);
  return tl::unexpected(done.error());
}

void NodeAgent::run(const std::stop_token& stop, const std::function<void()>& registered) const {
  std::mutex mutex;
  std::condition_variable_any never;
  bool is_registered = false;
  bool failing = false;
  while (!stop.stop_requested()) {
    const auto done = is_registered ? heartbeat(stop) : register_node(stop);
    if (stop.stop_requested()) return;
    if (!done && !failing) spdlog::warn("the node is not refreshed: {}; trying again", done.error().message());
    if (done && failing) spdlog::info("the node is refreshed again");
    failing = !done;
    if (done && !is_registered) {
      is_registered = true;
      registered();
    }
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, done ? std::chrono::milliseconds(kHeartbeat) : kRetry, [] { return false; });
  }
}

Result<> NodeAgent::say_goodbye() const {
  const std::string path = "/api/v1/nodes/" + node_.name;
  const json status = {{"status", ready_status(false, rfc3339_now())}};
  auto done = client_.patch(path + "/status", kube::PatchType::merge, status);
  const json annotations = {{"metadata", {{"annotations", {{"usbloop.dev/channel", nullptr}}}}}};
  if (done) done = client_.patch(path, kube::PatchType::merge, annotations);
  if (!done) return tl::unexpected(done.error());
  return {};
}

}  // namespace usbloop::launcher
