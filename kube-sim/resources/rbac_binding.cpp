#include <algorithm>

#include "kube-sim/resources/names.h"
#include "kube-sim/resources/rbac.h"
#include "kube-sim/resources/rbac_fields.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

void require_text(const json& object, const char* name, const std::string& path, Causes& causes) {
  if (text_at(object, (std::string("/") + name).c_str()).empty()) {
    causes.push_back({"FieldValueRequired", "Required value", path + "." + name});
  }
}

/// `"x": supported values: "a", "b"`, as field.NotSupported words it.
void not_supported(const std::string& field, const std::string& value, const std::vector<std::string>& supported,
                   Causes& causes) {
  std::string message =
      "Unsupported value: " + json(value).dump(-1, ' ', false, json::error_handler_t::replace) + ": supported values: ";
  for (std::size_t i = 0; i < supported.size(); ++i) message += (i > 0 ? ", \"" : "\"") + supported[i] + "\"";
  causes.push_back({"FieldValueNotSupported", message, field});
}

/// The group that an absent apiGroup stands for; ServiceAccounts are in the core group.
std::string default_group(const std::string& kind) { return kind == "User" || kind == "Group" ? kRbacGroup : ""; }

void check_role_ref(const json& object, bool namespaced, Causes& causes) {
  const std::size_t before = causes.size();
  const json* ref = rbac::object_in(object, "roleRef", "", causes);
  if (ref == nullptr) {
    if (causes.size() == before) causes.push_back({"FieldValueRequired", "Required value", "roleRef"});
    return;
  }
  rbac::check_strings(*ref, {"apiGroup", "kind", "name"}, "roleRef", causes);
  const std::string group = text_at(*ref, "/apiGroup");
  if (!group.empty() && group != kRbacGroup) not_supported("roleRef.apiGroup", group, {kRbacGroup}, causes);
  const std::string kind = text_at(*ref, "/kind");
  if (kind != "ClusterRole" && !(namespaced && kind == "Role")) {
    not_supported(
        "roleRef.kind", kind,
        namespaced ? std::vector<std::string>{"Role", "ClusterRole"} : std::vector<std::string>{"ClusterRole"}, causes);
  }
  const std::string name = text_at(*ref, "/name");
  if (name.empty()) {
    causes.push_back({"FieldValueRequired", "Required value", "roleRef.name"});
  } else if (const std::string why = path_segment_fault(name); !why.empty()) {
    causes.push_back({"FieldValueInvalid", "Invalid value: " + json(name).dump() + ": " + why, "roleRef.name"});
  }
}

void check_subject(const json& subject, bool namespaced, const std::string& path, Causes& causes) {
  if (!subject.is_object()) {
    causes.push_back({"FieldValueTypeInvalid", "Invalid value: " + path + " in body must be of type object", path});
    return;
  }
  rbac::check_strings(subject, {"apiGroup", "kind", "name", "namespace"}, path, causes);
  require_text(subject, "name", path, causes);
  const std::string kind = text_at(subject, "/kind");
  const std::string group = text_at(subject, "/apiGroup");
  if (kind == "ServiceAccount") {
    const std::string name = text_at(subject, "/name");
    for (const std::string& fault : name.empty() ? std::vector<std::string>() : dns_subdomain_faults(name)) {
      causes.push_back({"FieldValueInvalid", "Invalid value: " + json(name).dump() + ": " + fault, path + ".name"});
    }
    if (!group.empty()) not_supported(path + ".apiGroup", group, {""}, causes);
    if (!namespaced) require_text(subject, "namespace", path, causes);
  } else if (kind == "User" || kind == "Group") {
    if (!group.empty() && group != kRbacGroup) not_supported(path + ".apiGroup", group, {kRbacGroup}, causes);
  } else {
    not_supported(path + ".kind", kind, {"ServiceAccount", "User", "Group"}, causes);
  }
}

/// Writes in what an absent apiGroup means.
void set_defaults(json& object) {
  if (text_at(object, "/roleRef/apiGroup").empty()) object["roleRef"]["apiGroup"] = kRbacGroup;
  const auto subjects = object.find("subjects");
  if (subjects == object.end() || !subjects->is_array()) return;
  for (json& subject : *subjects) {
    if (!subject.is_object() || !text_at(subject, "/apiGroup").empty()) continue;
    const std::string group = default_group(text_at(subject, "/kind"));
    subject.erase("apiGroup");
    if (!group.empty()) subject["apiGroup"] = group;
  }
}

/// The names of all subjects of one kind, ServiceAccounts with their namespace, as the wide columns show them.
std::string subject_names(const json& object, const std::string& kind) {
  std::string names;
  const json* subjects = element_at(object, "/subjects");
  if (subjects == nullptr || !subjects->is_array()) return names;
  for (const json& subject : *subjects) {
    if (text_at(subject, "/kind") != kind) continue;
    if (!names.empty()) names += ", ";
    if (kind == "ServiceAccount") names += text_at(subject, "/namespace") + "/";
    names += text_at(subject, "/name");
  }
  return names;
}

}  // namespace

RoleBindingResource::RoleBindingResource(bool namespaced)
    : Resource("rbac.authorization.k8s.io/v1", namespaced ? "RoleBinding" : "ClusterRoleBinding") {}

void RoleBindingResource::prepare_create(json& object, const std::string&) const { set_defaults(object); }

void RoleBindingResource::prepare_update(json& object, const json&, bool) const {
  const auto ref = object.find("roleRef");
  if (ref != object.end() && ref->is_object()) set_defaults(object);
}

Causes RoleBindingResource::validate(const json& object) const {
  Causes causes;
  check_role_ref(object, info().namespaced, causes);
  const json* subjects = rbac::array_in(object, "subjects", "", causes);
  for (std::size_t i = 0; subjects != nullptr && i < subjects->size(); ++i) {
    check_subject((*subjects)[i], info().namespaced, "subjects[" + std::to_string(i) + "]", causes);
  }
  return causes;
}

std::optional<kube::Status> RoleBindingResource::refuse_update(const json& object, const json& current,
                                                               const User&) const {
  for (const char* part : {"/roleRef/apiGroup", "/roleRef/kind", "/roleRef/name"}) {
    if (text_at(object, part) == text_at(current, part)) continue;
    const std::string ref = "rbac.RoleRef{APIGroup:" + json(text_at(object, "/roleRef/apiGroup")).dump() +
                            ", Kind:" + json(text_at(object, "/roleRef/kind")).dump() +
                            ", Name:" + json(text_at(object, "/roleRef/name")).dump() + "}";
    return kube::invalid(info().group, info().kind, text_at(object, "/metadata/name"),
                         {{"FieldValueInvalid", "Invalid value: " + ref + ": cannot change roleRef", "roleRef"}});
  }
  return std::nullopt;
}

json RoleBindingResource::cells(const json& object, std::int64_t now) const {
  return {text_at(object, "/metadata/name"),
          text_at(object, "/roleRef/kind") + "/" + text_at(object, "/roleRef/name"),
          age_of(text_at(object, "/metadata/creationTimestamp"), now),
          subject_names(object, "User"),
          subject_names(object, "Group"),
          subject_names(object, "ServiceAccount")};
}

}  // namespace usbloop::apiserver
