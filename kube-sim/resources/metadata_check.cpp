#include "kube-sim/resources/metadata_check.h"

#include <algorithm>
#include <string>

#include "common/ascii_text.h"
#include "kube-sim/resources/names.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kMostAnnotationBytes = 256 * 1024;  // of all together

const json* member(const json& metadata, const char* name) {
  const auto found = metadata.find(name);
  return found == metadata.end() || found->is_null() ? nullptr : &*found;
}

/// Null when there is none of the right type; what is there of another type is a fault.
const json* string_map(const json& metadata, const char* name, Causes& causes) {
  const json* map = member(metadata, name);
  if (map == nullptr) return nullptr;
  const std::string field = std::string("metadata.") + name;
  if (!map->is_object()) {
    causes.push_back(field::wrong_type(field, *map, "object"));
    return nullptr;
  }
  for (const auto& [key, value] : map->items()) {
    if (!value.is_string()) causes.push_back(field::wrong_type(field + "." + key, value, "string"));
  }
  return map;
}

void check_labels(const json& metadata, Causes& causes) {
  const json* labels = string_map(metadata, "labels", causes);
  if (labels == nullptr) return;
  for (const auto& [key, value] : labels->items()) {
    for (const std::string& fault : qualified_name_faults(key)) {
      causes.push_back(field::invalid("metadata.labels", key, fault));
    }
    if (!value.is_string()) continue;
    for (const std::string& fault : label_value_faults(value.get<std::string>())) {
      causes.push_back(field::invalid("metadata.labels", value, fault));
    }
  }
}

void check_annotations(const json& metadata, Causes& causes) {
  const json* annotations = string_map(metadata, "annotations", causes);
  if (annotations == nullptr) return;
  std::size_t bytes = 0;
  for (const auto& [key, value] : annotations->items()) {
    for (const std::string& fault : qualified_name_faults(lower_case(key))) {
      causes.push_back(field::invalid("metadata.annotations", key, fault));
    }
    bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  }
  if (bytes > kMostAnnotationBytes) causes.push_back(field::too_long("metadata.annotations", kMostAnnotationBytes));
}

void check_owner(const json& owner, Causes& causes) {
  const std::string field = "metadata.ownerReferences";
  const auto required = [&](const char* name, const char* detail) {
    const auto found = owner.find(name);
    if (found != owner.end() && found->is_string() && !found->get_ref<const std::string&>().empty()) return;
    causes.push_back(field::invalid(field + "." + name, "", detail));
  };
  required("apiVersion", "version must not be empty");
  required("kind", "must not be empty");
  required("name", "must not be empty");
  required("uid", "must not be empty");
  if (text_at(owner, "/apiVersion") == "v1" && text_at(owner, "/kind") == "Event") {
    causes.push_back(field::invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
  }
}

std::vector<std::string> name_faults(const ResourceInfo& info, const std::string& name) {
  if (info.path_segment_names) {
    const std::string fault = path_segment_fault(name);
    return fault.empty() ? std::vector<std::string>() : std::vector<std::string>{fault};
  }
  return info.kind == "Namespace" ? dns_label_faults(name) : dns_subdomain_faults(name);
}

void check_name(const nlohmann::json& metadata, const ResourceInfo& info, Causes& causes) {
  for (const char* part : {"name", "generateName"}) {
    const auto found = metadata.find(part);
    if (found == metadata.end() || found->is_null() || found->is_string()) continue;
    causes.push_back(field::wrong_type(std::string("metadata.") + part, *found, "string"));
    return;
  }
  const std::string prefix = text_at(metadata, "/generateName");
  const std::string name = text_at(metadata, "/name");
  if (name.empty() && prefix.empty()) {
    causes.push_back(field::required("metadata.name", "name or generateName is required"));
    return;
  }
  for (const std::string& fault : name.empty() ? std::vector<std::string>() : name_faults(info, name)) {
    causes.push_back(field::invalid("metadata.name", name, fault));
  }
}

}  // namespace

void check_metadata_maps(const json& metadata, Causes& causes) {
  check_labels(metadata, causes);
  check_annotations(metadata, causes);
}

void check_finalizers(const json& metadata, Causes& causes) {
  const json* finalizers = member(metadata, "finalizers");
  if (finalizers == nullptr) return;
  const char* const kField = "metadata.finalizers";
  if (!finalizers->is_array()) {
    causes.push_back(field::wrong_type(kField, *finalizers, "array"));
    return;
  }
  for (const json& finalizer : *finalizers) {
    if (!finalizer.is_string()) {
      causes.push_back(field::wrong_type(kField, finalizer, "string"));
      continue;
    }
    for (const std::string& fault : qualified_name_faults(finalizer.get<std::string>())) {
      causes.push_back(field::invalid(kField, finalizer, fault));
    }
  }
  const auto has = [&](const char* name) {
    return std::find(finalizers->begin(), finalizers->end(), json(name)) != finalizers->end();
  };
  if (has("orphan") && has("foregroundDeletion")) {
    causes.push_back(field::invalid(kField, *finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
}

void check_owner_references(const json& metadata, Causes& causes) {
  const json* owners = member(metadata, "ownerReferences");
  if (owners == nullptr) return;
  const char* const kField = "metadata.ownerReferences";
  if (!owners->is_array()) {
    causes.push_back(field::wrong_type(kField, *owners, "array"));
    return;
  }
  std::string controller;
  for (const json& owner : *owners) {
    if (!owner.is_object()) {
      causes.push_back(field::wrong_type(kField, owner, "object"));
      continue;
    }
    check_owner(owner, causes);
    const auto controls = owner.find("controller");
    if (controls == owner.end() || *controls != true) continue;
    const std::string name = text_at(owner, "/kind") + "/" + text_at(owner, "/name");
    if (!controller.empty()) {
      causes.push_back(
          field::invalid(kField, *owners,
                         "Only one reference can have Controller set to true. Found \"true\" in references "
                         "for " +
                             controller + " and " + name));
    }
    controller = name;
  }
}

Causes validate_metadata(const nlohmann::json& object, const ResourceInfo& info) {
  Causes causes;
  const auto found = object.find("metadata");
  if (found == object.end() || !found->is_object()) {
    causes.push_back({"FieldValueRequired", "Required value", "metadata"});
    return causes;
  }
  check_name(*found, info, causes);
  if (info.namespaced) {
    const std::string space = text_at(*found, "/namespace");
    if (space.empty()) causes.push_back(field::required("metadata.namespace"));
    for (const std::string& fault : space.empty() ? std::vector<std::string>() : dns_label_faults(space)) {
      causes.push_back(field::invalid("metadata.namespace", space, fault));
    }
  }
  check_metadata_maps(*found, causes);
  check_finalizers(*found, causes);
  check_owner_references(*found, causes);
  return causes;
}

}  // namespace usbloop::apiserver
