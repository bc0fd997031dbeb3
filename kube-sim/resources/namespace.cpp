#include "kube-sim/resources/namespace.h"

namespace usbloop::apiserver {

using nlohmann::json;

NamespaceResource::NamespaceResource()
    : Resource({.group = "",
                .version = "v1",
                .plural = "namespaces",
                .singular = "namespace",
                .kind = "Namespace",
                .namespaced = false,
                .short_names = {"ns"},
                .has_status = true,
                .strategic_merge = true,
                .merge_rules = {"status.conditions type"}}) {}

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

const std::vector<std::string>& NamespaceResource::selectable_names() const {
  static const std::vector<std::string> kNames = {"status.phase"};
  return kNames;
}

const std::vector<Column>& NamespaceResource::columns() const {
  static const std::vector<Column> kColumns = {{"Name", "string", "name", 0, "Name of the object."},
                                               {"Status", "string", "", 0, "Active or Terminating."},
                                               {"Age", "string", "", 0, "How long ago the object was created."}};
  return kColumns;
}

json NamespaceResource::cells(const json& object, std::int64_t now) const {
  return {text_at(object, "/metadata/name"), text_at(object, "/status/phase"),
          age_of(text_at(object, "/metadata/creationTimestamp"), now)};
}

}  // namespace usbloop::apiserver
