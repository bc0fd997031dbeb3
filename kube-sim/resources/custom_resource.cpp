#include "kube-sim/resources/custom_resource.h"

#include <algorithm>

#include "kube-sim/schema/openapi_schema.h"
#include "kube-sim/schema/validation.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const json& stored_version(const json& definition) {
  const json& versions = definition["spec"]["versions"];
  return *std::find_if(versions.begin(), versions.end(),
                       [](const json& version) { return version["storage"] == true; });
}

std::vector<std::string> texts_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return {};
  return found->get<std::vector<std::string>>();
}

ResourceInfo custom_info(const json& definition) {
  const json& spec = definition["spec"];
  const json& stored = stored_version(definition);
  ResourceInfo info{.group = text_at(spec, "/group"),
                    .version = text_at(stored, "/name"),
                    .plural = text_at(spec, "/names/plural"),
                    .singular = text_at(spec, "/names/singular"),
                    .kind = text_at(spec, "/names/kind"),
                    .namespaced = text_at(spec, "/scope") == "Namespaced",
                    .short_names = texts_of(spec["names"], "shortNames"),
                    .categories = texts_of(spec["names"], "categories"),
                    .has_status = element_at(stored, "/subresources/status") != nullptr};
  info.served = stored["served"] == true;
  if (const json* scale = element_at(stored, "/subresources/scale"); scale != nullptr && scale->is_object()) {
    info.scale = ScalePaths{text_at(*scale, "/specReplicasPath"), text_at(*scale, "/statusReplicasPath"),
                            text_at(*scale, "/labelSelectorPath")};
  }
  for (const json& version : spec["versions"]) {
    if (version["storage"] != true && version["served"] == true) info.other_versions.push_back(version["name"]);
  }
  for (const json& version : spec["versions"]) {
    // One warning for all old versions: it is for definitions of which each old one is deprecated.
    if (version["storage"] == true || version["served"] != true) continue;
    if (version.value("deprecated", json()) != true) {
      info.other_versions_warning.clear();
      break;
    }
    const std::string own = text_at(version, "/deprecationWarning");
    info.other_versions_warning =
        own.empty() ? info.group + "/" + text_at(version, "/name") + " " + info.kind + " is deprecated" : own;
  }
  return info;
}

json shown_as(const std::vector<const json*>& found, const std::string& type, std::int64_t now) {
  if (found.empty() || found.front()->is_null()) return nullptr;
  const json& value = *found.front();
  if (type == "string") {
    std::string text;
    for (const json* each : found) {
      text += (text.empty() ? "" : " ") + (each->is_string() ? each->get<std::string>() : each->dump());
    }
    return text;
  }
  if (type == "date") return value.is_string() ? json(age_of(value.get<std::string>(), now)) : json("<unknown>");
  if (type == "boolean") return value.is_boolean() ? value : json();
  return value.is_number() ? value : json();
}

}  // namespace

CustomResource::CustomResource(const json& definition, bool terminating)
    : Resource(custom_info(definition),
               MergeSchema::of_openapi(stored_version(definition)["schema"]["openAPIV3Schema"])),
      terminating_(terminating) {
  for (const json& version : definition["spec"]["versions"]) {
    schemas_.emplace(text_at(version, "/name"), version["schema"]["openAPIV3Schema"]);
  }
  columns_ = {{"Name", "string", "name", 0, "Name of the object."}};
  paths_.push_back(*FieldPath::parse(".metadata.name"));
  const json columns = stored_version(definition).value("additionalPrinterColumns", json());
  if (!columns.is_array() || columns.empty()) {
    columns_.push_back({"Age", "date", "", 0, "How long ago the object was created."});
    paths_.push_back(*FieldPath::parse(".metadata.creationTimestamp"));
    return;
  }
  for (const json& column : columns) {
    const json* priority = element_at(column, "/priority");
    columns_.push_back(
        {text_at(column, "/name"), text_at(column, "/type"), text_at(column, "/format"),
         priority == nullptr ? 0 : static_cast<int>(std::clamp<std::int64_t>(int64_of(*priority, 0), 0, 1000)),
         text_at(column, "/description")});
    paths_.push_back(*FieldPath::parse(text_at(column, "/jsonPath")));
  }
}

const json* CustomResource::openapi(const std::string& version) const {
  const auto found = schemas_.find(version);
  return found == schemas_.end() ? nullptr : &found->second;
}

void CustomResource::prune(json& object, std::vector<std::string>* unknown) const {
  if (unknown != nullptr) unknown->clear();
  openapi_prune(schemas_.at(info().version), object, unknown);
}

void CustomResource::add_defaults(json& object) const { openapi_default(schemas_.at(info().version), object); }

Causes CustomResource::validate(const json& object) const {
  return openapi_violations(schemas_.at(info().version), object);
}

std::optional<kube::Status> CustomResource::refuse_create(const json&, const User&) const {
  if (!terminating_) return std::nullopt;
  kube::Status status = kube::method_not_allowed();
  status.message = "create not allowed while custom resource definition is terminating";
  return status;
}

json CustomResource::cells(const json& object, std::int64_t now) const {
  json cells = json::array();
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    cells.push_back(shown_as(paths_[i].select(object), columns_[i].type, now));
  }
  return cells;
}

std::string unserved_parts(const json& definition) {
  std::string text;
  const auto tell = [&](const char* part) { text += (text.empty() ? "" : "; ") + std::string(part); };
  const json& stored = stored_version(definition);
  const json& schema = stored["schema"]["openAPIV3Schema"];
  const json& versions = definition["spec"]["versions"];
  if (openapi_has_rules(schema)) tell("rules in CEL (x-kubernetes-validations) are not checked");
  if (text_at(definition, "/spec/conversion/strategy") == "Webhook") tell("conversion webhooks are not called");
  if (!stored.value("selectableFields", json()).empty()) tell("selectableFields cannot be selected by");
  const bool differ = std::any_of(versions.begin(), versions.end(), [&](const json& version) {
    return version["served"] == true && version["schema"]["openAPIV3Schema"] != schema;
  });
  if (differ) tell("all versions are checked by the schema of the stored one");
  return text;
}

}  // namespace usbloop::apiserver
