#include "apiserver-sim/kinds/kubevirt_pod.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/kinds/kubevirt.h"

namespace usbloop::apiserver {

using nlohmann::json;

std::string vmi_uid_of(const json& pod) {
  const json* owners = element_at(pod, "/metadata/ownerReferences");
  if (owners == nullptr || !owners->is_array()) return {};
  for (const json& owner : *owners) {
    const bool is_vmi = text_at(owner, "/kind") == "VirtualMachineInstance" &&
                        text_at(owner, "/apiVersion").starts_with("kubevirt.io/");
    const json* controls = element_at(owner, "/controller");
    if (is_vmi && controls != nullptr && *controls == true) return text_at(owner, "/uid");
  }
  return {};
}

bool is_kubevirt_pod(const json& pod) {
  const bool is_handler = text_at(pod, "/metadata/namespace") == kKubeVirtNamespace &&
                          text_at(pod, "/metadata/labels/kubevirt.io") == "virt-handler";
  return is_handler || !vmi_uid_of(pod).empty();
}

}  // namespace usbloop::apiserver
