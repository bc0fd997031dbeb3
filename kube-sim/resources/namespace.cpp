#include "kube-sim/resources/namespace.h"

namespace usbloop::apiserver {

using nlohmann::json;

NamespaceResource::NamespaceResource() : Resource("v1", "Namespace") {}

void NamespaceResource::prepare_create(json& object, const std::string&) const {
  json& metadata = object["metadata"];
  if (!metadata["labels"].is_object()) metadata["labels"] = json::object();
  metadata["labels"]["kubernetes.io/metadata.name"] = text_at(metadata, "/name");
  object["spec"] = {{"finalizers", {"kubernetes"}}};
  object["status"] = {{"phase", "Active"}};
}

std::optional<kube::Status> NamespaceResource::refuse_delete(const std::string& name) const {
  if (name != "default" && name != "kube-system" && name != "kube-public") return std::nullopt;
  return kube::forbidden("", "namespaces", name,
                         "namespaces \"" + name + "\" is forbidden: this namespace may not be deleted");
}

}  // namespace usbloop::apiserver
