#include "kube-sim/resources/custom_definition.h"

#include <algorithm>

#include "common/ascii_text.h"
#include "kube-sim/resources/definition_check.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {

using nlohmann::json;

CustomDefinitionResource::CustomDefinitionResource()
    : Resource("apiextensions.k8s.io/v1", "CustomResourceDefinition") {}

void CustomDefinitionResource::add_defaults(json& object) const {
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) return;
  if (!spec->contains("conversion")) (*spec)["conversion"] = {{"strategy", "None"}};
  const auto names = spec->find("names");
  if (names == spec->end() || !names->is_object()) return;
  const std::string kind = text_at(*names, "/kind");
  if (kind.empty()) return;
  if (text_at(*names, "/singular").empty()) (*names)["singular"] = lower_case(kind);
  if (text_at(*names, "/listKind").empty()) (*names)["listKind"] = kind + "List";
}

void CustomDefinitionResource::prepare_create(json& object, const std::string&) const {
  object["status"] = {
      {"conditions", nullptr}, {"acceptedNames", {{"plural", ""}, {"kind", ""}}}, {"storedVersions", json::array()}};
  for (const json& version : object["spec"]["versions"]) {
    if (version["storage"] == true) object["status"]["storedVersions"].push_back(version["name"]);
  }
}

Causes CustomDefinitionResource::validate(const json& object) const {
  Causes causes = Resource::validate(object);
  if (!causes.empty()) return causes;
  return definition_faults(object);
}

std::optional<kube::Status> CustomDefinitionResource::refuse_update(const json& object, const json& current,
                                                                    const User&) const {
  Causes causes;
  for (const char* path : {"/spec/group", "/spec/scope", "/spec/names/plural", "/spec/names/kind"}) {
    const json* after = element_at(object, path);
    if (after == nullptr || *after == current.at(json::json_pointer(path))) continue;
    std::string name = path + 1;
    std::replace(name.begin(), name.end(), '/', '.');
    causes.push_back(field::invalid(name, *after, "field is immutable"));
  }
  if (causes.empty()) return std::nullopt;
  return kube::invalid(info().group, info().kind, text_at(current, "/metadata/name"), std::move(causes));
}

}  // namespace usbloop::apiserver
