#include "kube-sim/resources/node.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

std::string status_cell(const json& node) {
  const std::string ready = condition_status(node, "Ready");
  std::string text = ready.empty() ? "Unknown" : ready == "True" ? "Ready" : "NotReady";
  const json* unschedulable = element_at(node, "/spec/unschedulable");
  if (unschedulable != nullptr && *unschedulable == true) text += ",SchedulingDisabled";
  return text;
}

std::string roles_cell(const json& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::string roles;
  const json* labels = element_at(node, "/metadata/labels");
  if (labels != nullptr && labels->is_object()) {
    for (const auto& [name, value] : labels->items()) {
      if (!name.starts_with(kPrefix)) continue;
      roles += (roles.empty() ? "" : ",") + name.substr(kPrefix.size());
    }
  }
  return roles.empty() ? "<none>" : roles;
}

std::string address_cell(const json& node, const std::string& type) {
  const json* addresses = element_at(node, "/status/addresses");
  if (addresses != nullptr && addresses->is_array()) {
    for (const json& address : *addresses) {
      if (text_at(address, "/type") == type) return text_at(address, "/address");
    }
  }
  return "<none>";
}

}  // namespace

NodeResource::NodeResource() : Resource("v1", "Node") {}

json NodeResource::cells(const json& object, std::int64_t now) const {
  const auto info = [&](const char* pointer) {
    const std::string text = text_at(object, pointer);
    return text.empty() ? std::string("<unknown>") : text;
  };
  return {text_at(object, "/metadata/name"),
          status_cell(object),
          roles_cell(object),
          age_of(text_at(object, "/metadata/creationTimestamp"), now),
          text_at(object, "/status/nodeInfo/kubeletVersion"),
          address_cell(object, "InternalIP"),
          address_cell(object, "ExternalIP"),
          info("/status/nodeInfo/osImage"),
          info("/status/nodeInfo/kernelVersion"),
          info("/status/nodeInfo/containerRuntimeVersion")};
}

}  // namespace usbloop::apiserver
