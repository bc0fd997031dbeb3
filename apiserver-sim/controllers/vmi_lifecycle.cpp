#include "apiserver-sim/controllers/vmi_lifecycle.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/controllers/launcher_pod.h"
#include "apiserver-sim/kinds/vmi.h"
#include "common/kube/conditions.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/pod.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kNodeLabel = "kubevirt.io/nodeName";

bool had_pod(const json& vmi) {
  const json* pods = element_at(vmi, "/status/activePods");
  return pods != nullptr && !pods->empty();
}

bool is_new(const json& vmi) {
  const std::string phase = text_at(vmi, "/status/phase");
  return phase.empty() || phase == "Pending";
}

bool is_going_down(const json& pod) { return is_being_deleted(pod) || is_over(pod); }

void fail(json& vmi, const std::string& reason, const std::string& now) {
  enter_phase(vmi, "Failed", now);
  vmi["status"]["reason"] = reason;
}

/// The pod runs: the VMI belongs to the pod's node from now on.
void hand_over(json& vmi, const json& pod, const std::string& now) {
  const std::string node = text_at(pod, "/spec/nodeName");
  enter_phase(vmi, "Scheduled", now);
  json& status = vmi["status"];
  status["nodeName"] = node;
  status["launcherContainerImageVersion"] = launcher_image();
  status["qosClass"] = text_at(pod, "/status/qosClass");
  vmi["metadata"]["labels"][kNodeLabel] = node;
}

void advance_phase(json& vmi, const json* pod, const std::string& now) {
  const bool deleting = is_being_deleted(vmi);
  if (is_new(vmi)) {
    if (pod != nullptr && !is_going_down(*pod)) enter_phase(vmi, "Scheduling", now);
    if (pod == nullptr && deleting) fail(vmi, "Deleted", now);
    return;
  }
  if (pod == nullptr) {
    if (had_pod(vmi)) fail(vmi, deleting ? "Deleted" : "PodNotExists", now);
    return;
  }
  if (text_at(vmi, "/status/phase") != "Scheduling") return;
  if (is_going_down(*pod)) return fail(vmi, deleting ? "Deleted" : "PodTerminating", now);
  const bool ready = has_condition(*pod, "Ready") && !text_at(*pod, "/spec/nodeName").empty();
  if (ready && !deleting) hand_over(vmi, *pod, now);
}

/// Node and label of a VMI that has been handed over follow from its pod. If both were lost (an older server, a
/// restored object), the guest would belong to no node.
void keep_node(json& vmi, const json& pod) {
  const std::string phase = text_at(vmi, "/status/phase");
  const std::string bound = text_at(pod, "/spec/nodeName");
  if ((phase != "Scheduled" && phase != "Running") || bound.empty()) return;
  json& status = vmi["status"];
  if (text_at(status, "/nodeName").empty()) status["nodeName"] = bound;
  vmi["metadata"]["labels"][kNodeLabel] = status["nodeName"];
}

kube::Condition ready_condition(const json& vmi, const json* pod) {
  if (pod == nullptr) {
    return {"Ready", "False", "PodNotExists", "virt-launcher pod has not yet been scheduled"};
  }
  if (is_going_down(*pod)) return {"Ready", "False", "PodTerminating", "virt-launcher pod is terminating"};
  if (text_at(vmi, "/status/phase") != "Running") {
    return {"Ready", "False", "GuestNotRunning", "Guest VM is not reported as running"};
  }
  const json* ready = kube::find_condition(*pod, "Ready");
  if (ready == nullptr) {
    return {"Ready", "False", "PodConditionMissing", "virt-launcher pod is missing the Ready condition"};
  }
  return {"Ready", text_at(*ready, "/status"), text_at(*ready, "/reason"), text_at(*ready, "/message")};
}

/// A pod that finds no node says so in its condition; the VMI shows it.
void copy_scheduling(json& vmi, const json* pod, const std::string& now) {
  const json* scheduled = pod == nullptr ? nullptr : kube::find_condition(*pod, "PodScheduled");
  if (scheduled == nullptr || text_at(*scheduled, "/status") != "False") {
    return kube::remove_condition(vmi, "PodScheduled");
  }
  kube::set_condition(vmi, {"PodScheduled", "False", text_at(*scheduled, "/reason"), text_at(*scheduled, "/message")},
                      now);
}

}  // namespace

bool is_final(const json& vmi) {
  const std::string phase = text_at(vmi, "/status/phase");
  return phase == "Succeeded" || phase == "Failed";
}

void enter_phase(json& vmi, const std::string& phase, const std::string& now) {
  json& status = vmi["status"];
  status["phase"] = phase;
  json& times = status["phaseTransitionTimestamps"];
  if (!times.is_array()) times = json::array();
  times.push_back({{"phase", phase}, {"phaseTransitionTimestamp", now}});
}

bool wants_pod(const json& vmi) { return is_new(vmi) && !is_being_deleted(vmi) && !had_pod(vmi); }

json advance_vmi(const json& vmi, const json* pod, const std::string& now) {
  json next = vmi;
  if (is_final(vmi)) {
    if (is_being_deleted(vmi) && pod == nullptr) {
      for (const char* ours : {kVmiFinalizer, kOldVmiFinalizer}) remove_finalizer(next, ours);
    }
    return next;
  }
  if (pod == nullptr && !had_pod(vmi) && !is_new(vmi)) return next;
  advance_phase(next, pod, now);
  if (pod != nullptr) {
    keep_node(next, *pod);
    next["status"]["activePods"] = {{text_at(*pod, "/metadata/uid"), text_at(*pod, "/spec/nodeName")}};
  }
  kube::set_condition(next, ready_condition(next, pod), now);
  copy_scheduling(next, pod, now);
  return next;
}

}  // namespace usbloop::apiserver
