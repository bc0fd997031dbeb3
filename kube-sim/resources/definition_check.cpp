#include "kube-sim/resources/definition_check.h"

#include <set>

#include "common/ascii_text.h"
#include "kube-sim/resources/custom_definition.h"
#include "kube-sim/resources/names.h"
#include "kube-sim/schema/field_error.h"
#include "kube-sim/schema/field_path.h"
#include "kube-sim/schema/openapi_schema.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// Checks one part of a definition after the other.
class DefinitionCheck {
 public:
  Causes causes;

  void check(const json& object) {
    const json& spec = object["spec"];
    if (!typed(spec, "spec", {{"group", "string"}, {"scope", "string"}, {"names", "object"}, {"versions", "array"}})) {
      return;
    }
    check_names(spec);
    const std::string group = text_at(spec, "/group");
    const std::string name = text_at(spec, "/names/plural") + "." + group;
    if (text_at(object, "/metadata/name") != name) {
      add(field::invalid("metadata.name", text_at(object, "/metadata/name"),
                         "must be spec.names.plural+\".\"+spec.group"));
    }
    check_group(object, group);
    const std::string scope = text_at(spec, "/scope");
    if (scope != "Cluster" && scope != "Namespaced") {
      add(field::not_supported("spec.scope", field::quoted(scope), {"Cluster", "Namespaced"}));
    }
    if (spec.value("preserveUnknownFields", json(false)) != false) {
      add(field::invalid("spec.preserveUnknownFields", true,
                         "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                         "spec.versions[*].schema instead"));
    }
    check_versions(spec["versions"]);
  }

 private:
  void add(kube::StatusCause cause) { causes.push_back(std::move(cause)); }

  static bool has_type(const json& value, const std::string& type) {
    if (type == "string") return value.is_string();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    return value.is_boolean();
  }

  /// Whether all of these members are there and have their types.
  bool typed(const json& object, const std::string& path,
             std::initializer_list<std::pair<const char*, const char*>> members) {
    if (!object.is_object()) {
      add(field::wrong_type(path, object, "object"));
      return false;
    }
    const std::size_t before = causes.size();
    for (const auto& [name, type] : members) {
      const auto found = object.find(name);
      if (found == object.end() || found->is_null()) {
        add(field::required(path + "." + name));
      } else if (!has_type(*found, type)) {
        add(field::wrong_type(path + "." + name, *found, type));
      }
    }
    return causes.size() == before;
  }

  void check_label(const std::string& path, const std::string& text) {
    for (const std::string& fault : dns_label_faults(text)) add(field::invalid(path, text, fault));
  }

  void check_names(const json& spec) {
    const json& names = spec["names"];
    if (!typed(names, "spec.names",
               {{"plural", "string"}, {"singular", "string"}, {"kind", "string"}, {"listKind", "string"}}))
      return;
    for (const char* name : {"plural", "singular"})
      check_label(std::string("spec.names.") + name, text_at(names, (std::string("/") + name).c_str()));
    const std::string kind = text_at(names, "/kind");
    check_label("spec.names.kind", lower_case(kind));
    if (kind + "List" != text_at(names, "/listKind"))
      check_label("spec.names.listKind", lower_case(text_at(names, "/listKind")));
    if (kind == text_at(names, "/listKind")) {
      add(field::invalid("spec.names.listKind", kind, "kind and listKind may not be the same"));
    }
    for (const char* list : {"shortNames", "categories"}) {
      const auto found = names.find(list);
      if (found == names.end() || found->is_null()) continue;
      const std::string path = std::string("spec.names.") + list;
      if (!found->is_array() || found->size() > kMostCustomColumns)
        return add(field::wrong_type(path, *found, "array"));
      for (const json& entry : *found) {
        if (entry.is_string()) {
          check_label(path, entry.get<std::string>());
        } else {
          add(field::wrong_type(path, entry, "string"));
        }
      }
    }
  }

  void check_group(const json& object, const std::string& group) {
    if (group.find('.') == std::string::npos) {
      return add(field::invalid("spec.group", group, "should be a domain with at least one dot"));
    }
    for (const std::string& fault : dns_subdomain_faults(group)) add(field::invalid("spec.group", group, fault));
    const bool protected_group = group.ends_with(".k8s.io") || group.ends_with(".kubernetes.io");
    const json* annotations = element_at(object, "/metadata/annotations");
    const bool approved = annotations != nullptr && annotations->contains("api-approved.kubernetes.io");
    if (protected_group && !approved) {
      add(field::required("metadata.annotations[api-approved.kubernetes.io]",
                          "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
                          "https://github.com/kubernetes/enhancements/pull/1111"));
    }
  }

  void check_versions(const json& versions) {
    if (versions.empty())
      return add(field::required("spec.versions", "must have exactly one version marked as storage version"));
    if (versions.size() > kMostCustomVersions) {
      return add({"FieldValueTooMany",
                  "Too many: " + std::to_string(versions.size()) + ": must have at most " +
                      std::to_string(kMostCustomVersions) + " items",
                  "spec.versions"});
    }
    std::set<std::string> names;
    std::size_t stored = 0;
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const std::string path = "spec.versions[" + std::to_string(i) + "]";
      const json& version = versions[i];
      if (!typed(version, path,
                 {{"name", "string"}, {"served", "boolean"}, {"storage", "boolean"}, {"schema", "object"}})) {
        continue;
      }
      const std::string name = text_at(version, "/name");
      check_label(path + ".name", name);
      if (!names.insert(name).second)
        add({"FieldValueDuplicate", "Duplicate value: " + field::quoted(name), path + ".name"});
      if (version["storage"] == true) ++stored;
      check_version(version, path);
    }
    if (causes.empty() && stored != 1) {
      add(field::invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
      causes.back().message = "Invalid value: must have exactly one version marked as storage version";
    }
  }

  void check_version(const json& version, const std::string& path) {
    const json& schema = version["schema"];
    const std::string schema_path = path + ".schema.openAPIV3Schema";
    if (!schema.contains("openAPIV3Schema") || schema["openAPIV3Schema"].is_null()) {
      add(field::required(schema_path, "schemas are required"));
    } else {
      for (kube::StatusCause& cause : openapi_faults(schema["openAPIV3Schema"], schema_path)) add(std::move(cause));
    }
    const auto columns = version.find("additionalPrinterColumns");
    if (columns != version.end() && !columns->is_null()) check_columns(*columns, path + ".additionalPrinterColumns");
    const auto subresources = version.find("subresources");
    if (subresources == version.end() || subresources->is_null()) return;
    if (!subresources->is_object()) return add(field::wrong_type(path + ".subresources", *subresources, "object"));
    if (subresources->contains("scale")) check_scale((*subresources)["scale"], path + ".subresources.scale");
  }

  void check_columns(const json& columns, const std::string& path) {
    if (!columns.is_array() || columns.size() > kMostCustomColumns)
      return add(field::wrong_type(path, columns, "array"));
    static const std::set<std::string> kTypes = {"integer", "number", "string", "boolean", "date"};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string at = path + "[" + std::to_string(i) + "]";
      if (!typed(columns[i], at, {{"name", "string"}, {"type", "string"}, {"jsonPath", "string"}})) continue;
      const std::string type = text_at(columns[i], "/type");
      if (!kTypes.contains(type)) {
        add(field::not_supported(at + ".type", field::quoted(type), {kTypes.begin(), kTypes.end()}));
      }
      if (!FieldPath::parse(text_at(columns[i], "/jsonPath"))) {
        add(field::invalid(at + ".jsonPath", columns[i]["jsonPath"], "is not a path that this server can follow"));
      }
    }
  }

  void check_scale(const json& scale, const std::string& path) {
    if (!typed(scale, path, {{"specReplicasPath", "string"}, {"statusReplicasPath", "string"}})) return;
    const auto demand = [&](const char* name, std::string_view root) {
      const std::string text = scale.value(name, "");
      const auto parsed = FieldPath::parse(text);
      if (text.starts_with(root) && parsed && parsed->names_only()) return;
      add(field::invalid(path + "." + name, text,
                         "should be a json path under " + std::string(root.substr(0, root.size() - 1))));
    };
    demand("specReplicasPath", ".spec.");
    demand("statusReplicasPath", ".status.");
    const auto selector = scale.find("labelSelectorPath");
    if (selector == scale.end() || selector->is_null()) return;
    if (!selector->is_string()) return add(field::wrong_type(path + ".labelSelectorPath", *selector, "string"));
    const auto parsed = FieldPath::parse(selector->get<std::string>());
    if (!parsed || !parsed->names_only()) {
      add(field::invalid(path + ".labelSelectorPath", *selector,
                         "should be a json path under either .status or .spec"));
    }
  }
};

}  // namespace

Causes definition_faults(const json& definition) {
  DefinitionCheck check;
  check.check(definition);
  return std::move(check.causes);
}

}  // namespace usbloop::apiserver
