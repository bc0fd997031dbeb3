#include "launcher-sim/vmi_status.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "common/json_at.h"
#include "common/kube/conditions.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;

constexpr const char* kPaused = "Paused";
constexpr const char* kCloned = "usbloop.dev/Cloned";
constexpr const char* kClonedMessage =
    "The guest began as a copy of a guest that was booted. Until it reboots, what its kernel read at boot is that "
    "one's: the SMBIOS tables with the UUID of the system, the kernel's log, and the time since boot.";

kube::Condition ready_condition(Phase phase, bool deleting) {
  if (phase == Phase::running && !deleting) return {"Ready", "True"};
  return {"Ready", "False", deleting ? "PodTerminating" : "GuestNotRunning",
          deleting ? "virt-launcher pod is terminating" : "Guest VM is not reported as running"};
}

/// The object of which there are only the conditions, to work on.
json conditions_alone(const json& vmi) { return {{"status", {{"conditions", array_at(vmi, "/status/conditions")}}}}; }

}  // namespace

VmiView view_of(const json& vmi) {
  return {phase_of(text_at(vmi, "/status/phase")), at(vmi, "/metadata/deletionTimestamp").is_string(),
          kube::find_condition(vmi, kPaused) != nullptr};
}

std::string node_of(const json& vmi) { return text_at(vmi, "/status/nodeName"); }

json phase_patch(const json& vmi, Phase phase, const std::string& reason, const std::string& node,
                 const std::string& now, bool cloned) {
  const std::string name(to_text(phase));
  json status = {{"phase", name}, {"nodeName", node}};
  json times = array_at(vmi, "/status/phaseTransitionTimestamps");
  times.push_back({{"phase", name}, {"phaseTransitionTimestamp", now}});
  status["phaseTransitionTimestamps"] = std::move(times);
  json told = conditions_alone(vmi);
  kube::set_condition(told, ready_condition(phase, view_of(vmi).deleting), now);
  if (phase == Phase::running) {
    // A client's USB device is not on the target node, so the guest cannot move there.
    kube::set_condition(told, {"LiveMigratable", "False", "NotSupported", "the node does not migrate guests"}, now);
    status["machine"] = {{"type", "q35"}};
  }
  if (cloned) kube::set_condition(told, {kCloned, "True", "CopyOfTemplate", kClonedMessage}, now);
  if (is_final(phase)) {
    kube::remove_condition(told, kPaused);
    kube::remove_condition(told, kCloned);
  }
  status["conditions"] = std::move(told["status"]["conditions"]);
  if (phase == Phase::failed) status["reason"] = reason;
  json metadata = {{"resourceVersion", text_at(vmi, "/metadata/resourceVersion")},
                   {"labels", {{"kubevirt.io/nodeName", node}}}};
  return {{"metadata", std::move(metadata)}, {"status", std::move(status)}};
}

json pause_patch(const json& vmi, bool paused, const std::string& now) {
  json told = conditions_alone(vmi);
  kube::remove_condition(told, kPaused);
  json& conditions = told["status"]["conditions"];
  if (paused) {
    conditions.push_back({{"type", kPaused},
                          {"status", "True"},
                          {"reason", "PausedByUser"},
                          {"message", "VMI was paused by user"},
                          {"lastProbeTime", now},
                          {"lastTransitionTime", now}});
  }
  return {{"metadata", {{"resourceVersion", text_at(vmi, "/metadata/resourceVersion")}}},
          {"status", {{"conditions", std::move(conditions)}}}};
}

json vmi_event(const json& vmi, const std::string& type, const std::string& reason, const std::string& message,
               const std::string& node, const std::string& now) {
  const std::string name = text_at(vmi, "/metadata/name");
  const std::string ns = text_at(vmi, "/metadata/namespace");
  const auto unique = std::chrono::system_clock::now().time_since_epoch().count();
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", {{"name", name + "." + std::to_string(unique)}, {"namespace", ns}}},
          {"involvedObject",
           {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachineInstance"},
            {"name", name},
            {"namespace", ns},
            {"uid", text_at(vmi, "/metadata/uid")}}},
          {"type", type},
          {"reason", reason},
          {"message", message},
          {"source", {{"component", "virt-handler"}, {"host", node}}},
          {"reportingComponent", "virt-handler"},
          {"reportingInstance", node},
          {"firstTimestamp", now},
          {"lastTimestamp", now},
          {"count", 1}};
}

std::string vmi_path(const json& vmi) {
  return "/apis/kubevirt.io/v1/namespaces/" + text_at(vmi, "/metadata/namespace") + "/virtualmachineinstances/" +
         text_at(vmi, "/metadata/name");
}

}  // namespace usbloop::launcher
