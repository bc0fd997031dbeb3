#include "apiserver-sim/controllers/launcher_pod.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/kinds/vmi.h"
#include "common/kube/versions.h"
#include "kube-sim/resources/pod.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLabel = 63;
/// virt-launcher gets more time than its guest, so that it can tell of the guest's end.
constexpr std::int64_t kLauncherGraceSeconds = 15;

json labels_of(const json& vmi) {
  json labels = vmi["metadata"].value("labels", json::object());
  labels.erase("kubevirt.io/nodeName");
  labels[kAppLabel] = "virt-launcher";
  labels[kCreatedByLabel] = text_at(vmi, "/metadata/uid");
  labels["vm.kubevirt.io/name"] = text_at(vmi, "/metadata/name").substr(0, kMaxLabel);
  return labels;
}

/// What the guest asks for, as the pod's container has to.
json resources_of(const json& vmi) {
  json resources = {{"requests", json::object()}};
  if (const json* wanted = element_at(vmi, "/spec/domain/resources"); wanted != nullptr && wanted->is_object()) {
    resources.update(*wanted);
  }
  json& requests = resources["requests"];
  const std::string memory = text_at(vmi, "/spec/domain/memory/guest");
  if (!memory.empty() && !requests.contains("memory")) requests["memory"] = memory;
  if (!requests.contains("cpu")) requests["cpu"] = "100m";
  return resources;
}

json node_selector_of(const json& vmi) {
  json selector = {{"kubevirt.io/schedulable", "true"}};
  const json* wanted = element_at(vmi, "/spec/nodeSelector");
  if (wanted != nullptr && wanted->is_object()) selector.update(*wanted);
  return selector;
}

std::int64_t grace_of(const json& vmi) {
  constexpr std::int64_t kLongestPeriod = std::numeric_limits<std::int64_t>::max();
  return std::min(termination_grace(vmi), kLongestPeriod - kLauncherGraceSeconds) + kLauncherGraceSeconds;
}

}  // namespace

std::string launcher_image() { return std::string("usbloop/virt-launcher:") + kube::kKubeVirtVersion; }

json launcher_pod(const json& vmi) {
  const std::string name = text_at(vmi, "/metadata/name");
  const std::string uid = text_at(vmi, "/metadata/uid");
  const json owner = {{"apiVersion", "kubevirt.io/v1"},
                      {"kind", "VirtualMachineInstance"},
                      {"name", name},
                      {"uid", uid},
                      {"controller", true},
                      {"blockOwnerDeletion", true}};
  const json compute = {{"name", "compute"},
                        {"image", launcher_image()},
                        {"command",
                         {"/usr/bin/virt-launcher-monitor", "--name", name, "--uid", uid, "--namespace",
                          text_at(vmi, "/metadata/namespace")}},
                        {"resources", resources_of(vmi)}};
  json pod = {{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata",
               {{"generateName", "virt-launcher-" + name + "-"},
                {"labels", labels_of(vmi)},
                {"annotations", {{"kubevirt.io/domain", name}, {"kubectl.kubernetes.io/default-container", "compute"}}},
                {"ownerReferences", json::array({owner})}}},
              {"spec",
               {{"restartPolicy", "Never"},
                {"terminationGracePeriodSeconds", grace_of(vmi)},
                {"nodeSelector", node_selector_of(vmi)},
                {"hostname", name.substr(0, kMaxLabel)},
                {"automountServiceAccountToken", false},
                {"enableServiceLinks", false},
                {"containers", json::array({compute})}}}};
  if (const json* tolerations = element_at(vmi, "/spec/tolerations")) pod["spec"]["tolerations"] = *tolerations;
  return pod;
}

}  // namespace usbloop::apiserver
