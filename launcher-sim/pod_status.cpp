#include "launcher-sim/pod_status.h"

#include <nlohmann/json.hpp>

#include "common/json_at.h"
#include "common/kube/versions.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;

const std::string kHandlerImage = std::string("usbloop/virt-handler:") + kube::kKubeVirtVersion;

json condition(const char* type, bool holds, const std::string& now, const char* reason = "") {
  json condition = {
      {"type", type}, {"status", holds ? "True" : "False"}, {"lastProbeTime", nullptr}, {"lastTransitionTime", now}};
  if (*reason != '\0') condition["reason"] = reason;
  return condition;
}

/// One status per container of the pod, each with the state.
json container_statuses(const json& pod, const json& state, bool ready) {
  json statuses = json::array();
  for (const json& container : array_at(pod, "/spec/containers")) {
    const std::string image = text_at(container, "/image");
    statuses.push_back({{"name", text_at(container, "/name")},
                        {"image", image},
                        {"imageID", image},
                        {"containerID", "usbloop://" + text_at(pod, "/metadata/uid")},
                        {"ready", ready},
                        {"started", ready},
                        {"restartCount", 0},
                        {"lastState", json::object()},
                        {"state", state}});
  }
  return statuses;
}

json status_patch(const json& pod, json status) {
  return {{"metadata", {{"uid", text_at(pod, "/metadata/uid")}}}, {"status", std::move(status)}};
}

}  // namespace

PodView pod_view(const json& pod) {
  const std::string phase = text_at(pod, "/status/phase");
  bool ready = false;
  for (const json& condition : array_at(pod, "/status/conditions")) {
    if (text_at(condition, "/type") == "Ready") ready = text_at(condition, "/status") == "True";
  }
  const bool deleting = !text_at(pod, "/metadata/deletionTimestamp").empty();
  const json& grace = at(pod, "/metadata/deletionGracePeriodSeconds");
  return {.runs = phase == "Running" && ready,
          .over = phase == "Succeeded" || phase == "Failed",
          .deleting = deleting,
          .grace = deleting && grace.is_number_integer() ? std::optional(grace_period(grace)) : std::nullopt};
}

bool is_handler_pod(const json& pod) {
  return text_at(pod, "/metadata/namespace") == "kubevirt" &&
         text_at(pod, "/metadata/labels/kubevirt.io") == "virt-handler";
}

std::string vmi_uid_of(const json& pod) {
  for (const json& owner : array_at(pod, "/metadata/ownerReferences")) {
    if (text_at(owner, "/kind") == "VirtualMachineInstance" &&
        text_at(owner, "/apiVersion").starts_with("kubevirt.io/") && at(owner, "/controller") == true) {
      return text_at(owner, "/uid");
    }
  }
  return {};
}

json pod_rejected(const json& pod, const std::string& now) {
  const std::string started = text_at(pod, "/status/startTime");
  return status_patch(pod, {{"phase", "Failed"},
                            {"reason", kRejected},
                            {"message", std::string("Pod was rejected: ") + kRejectedMessage},
                            {"startTime", started.empty() ? now : started}});
}

json pod_running(const json& pod, const std::string& address, const std::string& now) {
  const std::string started = text_at(pod, "/status/startTime");
  const json conditions = json::array({condition("PodReadyToStartContainers", true, now),
                                       condition("Initialized", true, now), condition("Ready", true, now),
                                       condition("ContainersReady", true, now), condition("PodScheduled", true, now)});
  return status_patch(pod, {{"phase", "Running"},
                            {"startTime", started.empty() ? now : started},
                            {"hostIP", address},
                            {"hostIPs", json::array({{{"ip", address}}})},
                            {"podIP", address},
                            {"podIPs", json::array({{{"ip", address}}})},
                            {"conditions", conditions},
                            {"containerStatuses", container_statuses(pod, {{"running", {{"startedAt", now}}}}, true)}});
}

json pod_ended(const json& pod, bool well, const std::string& now) {
  const char* reason = well ? "PodCompleted" : "PodFailed";
  const json conditions =
      json::array({condition("PodReadyToStartContainers", false, now), condition("Initialized", true, now, reason),
                   condition("Ready", false, now, reason), condition("ContainersReady", false, now, reason),
                   condition("PodScheduled", true, now)});
  const std::string started = text_at(pod, "/status/startTime");
  const json terminated = {{"exitCode", well ? 0 : 1},
                           {"reason", well ? "Completed" : "Error"},
                           {"startedAt", started.empty() ? now : started},
                           {"finishedAt", now}};
  return status_patch(pod, {{"phase", well ? "Succeeded" : "Failed"},
                            {"conditions", conditions},
                            {"containerStatuses", container_statuses(pod, {{"terminated", terminated}}, false)}});
}

json handler_pod(const std::string& node) {
  const json container = {
      {"name", "virt-handler"},
      {"image", kHandlerImage},
      {"ports", json::array({{{"name", "metrics"}, {"containerPort", 8443}, {"protocol", "TCP"}}})}};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata",
           {{"generateName", "virt-handler-"},
            {"labels",
             {{"kubevirt.io", "virt-handler"},
              {"app.kubernetes.io/component", "kubevirt"},
              {"app.kubernetes.io/managed-by", "virt-operator"}}}}},
          {"spec",
           {{"nodeName", node},
            {"hostNetwork", false},
            {"serviceAccountName", "kubevirt-handler"},
            {"terminationGracePeriodSeconds", 5},
            {"containers", json::array({container})}}}};
}

std::string pod_path(const json& pod) {
  return "/api/v1/namespaces/" + text_at(pod, "/metadata/namespace") + "/pods/" + text_at(pod, "/metadata/name");
}

}  // namespace usbloop::launcher
