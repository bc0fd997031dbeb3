#include "launcher-sim/vmi_status.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "launcher-sim/json_at.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;

constexpr const char* kPaused = "Paused";

/// Puts a condition in place of the one of its type; the transition time stays when the status does.
void set_condition(json& conditions, json condition, const std::string& now) {
  condition["lastProbeTime"] = nullptr;
  condition["lastTransitionTime"] = now;
  for (json& known : conditions) {
    if (!known.is_object() || known.value("type", json()) != condition["type"]) continue;
    if (known.value("status", json()) == condition["status"]) {
      condition["lastTransitionTime"] = known.value("lastTransitionTime", json(now));
    }
    known = std::move(condition);
    return;
  }
  conditions.push_back(std::move(condition));
}

void remove_condition(json& conditions, const char* type) {
  std::erase_if(conditions.get_ref<json::array_t&>(), [&](const json& condition) {
    return condition.is_object() && condition.value("type", json()) == type;
  });
}

bool has_condition(const json& vmi, const char* type) {
  const json conditions = array_at(vmi, "/status/conditions");
  return std::any_of(conditions.begin(), conditions.end(), [&](const json& condition) {
    return condition.is_object() && condition.value("type", json()) == type;
  });
}

json ready_condition(Phase phase, bool deleting) {
  if (phase == Phase::running && !deleting) return {{"type", "Ready"}, {"status", "True"}};
  json condition = {{"type", "Ready"}, {"status", "False"}};
  condition["reason"] = deleting ? "PodTerminating" : "GuestNotRunning";
  condition["message"] = deleting ? "virt-launcher pod is terminating" : "Guest VM is not reported as running";
  return condition;
}

}  // namespace

VmiView view_of(const json& vmi) {
  return {phase_of(text_at(vmi, "/status/phase")), at(vmi, "/metadata/deletionTimestamp").is_string(),
          has_condition(vmi, kPaused)};
}

std::string node_of(const json& vmi) { return text_at(vmi, "/status/nodeName"); }

json phase_patch(const json& vmi, Phase phase, const std::string& reason, const std::string& node,
                 const std::string& now) {
  const std::string name(to_text(phase));
  json status = {{"phase", name}, {"nodeName", node}};
  json times = array_at(vmi, "/status/phaseTransitionTimestamps");
  times.push_back({{"phase", name}, {"phaseTransitionTimestamp", now}});
  status["phaseTransitionTimestamps"] = std::move(times);
  json conditions = array_at(vmi, "/status/conditions");
  set_condition(conditions, ready_condition(phase, view_of(vmi).deleting), now);
  if (phase == Phase::running) {
    // A client's USB device is not on the target node, so the guest cannot move there.
    set_condition(conditions,
                  {{"type", "LiveMigratable"},
                   {"status", "False"},
                   {"reason", "NotSupported"},
                   {"message", "the node does not migrate guests"}},
                  now);
    status["machine"] = {{"type", "q35"}};
  }
  if (is_final(phase)) remove_condition(conditions, kPaused);
  status["conditions"] = std::move(conditions);
  if (phase == Phase::failed) status["reason"] = reason;
  json metadata = {{"resourceVersion", text_at(vmi, "/metadata/resourceVersion")},
                   {"labels", {{"kubevirt.io/nodeName", node}}}};
  return {{"metadata", std::move(metadata)}, {"status", std::move(status)}};
}

json pause_patch(const json& vmi, bool paused, const std::string& now) {
  json conditions = array_at(vmi, "/status/conditions");
  remove_condition(conditions, kPaused);
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

std::string rfc3339_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text, size};
}

}  // namespace usbloop::launcher
