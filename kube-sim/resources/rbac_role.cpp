#include "kube-sim/resources/rbac.h"
#include "kube-sim/resources/rbac_fields.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

bool has_items(const json& rule, const char* name) {
  const auto found = rule.find(name);
  return found != rule.end() && found->is_array() && !found->empty();
}

void require_items(const json& rule, const char* name, const std::string& path, const char* why, Causes& causes) {
  if (!has_items(rule, name)) {
    causes.push_back({"FieldValueRequired", std::string("Required value: ") + why, path + "." + name});
  }
}

/// Whether all lists of a rule are lists of strings.
bool check_lists(const json& rule, const std::string& path, Causes& causes) {
  const std::size_t before = causes.size();
  for (const char* name : {"verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"}) {
    const json* list = rbac::array_in(rule, name, path, causes);
    if (list == nullptr) continue;
    for (std::size_t i = 0; i < list->size(); ++i) {
      if ((*list)[i].is_string()) continue;
      const std::string where = path + "." + name + "[" + std::to_string(i) + "]";
      causes.push_back({"FieldValueTypeInvalid", "Invalid value: " + where + " in body must be of type string", where});
    }
  }
  return causes.size() == before;
}

/// As Go prints a list of strings with %#v: []string{"/a", "/b"}.
std::string go_slice(const json& list) {
  std::string text;
  for (const json& item : list) text += (text.empty() ? "" : ", ") + item.dump();
  return "[]string{" + text + "}";
}

void check_rule(const json& rule, bool namespaced, const std::string& path, Causes& causes) {
  if (!rule.is_object()) {
    causes.push_back({"FieldValueTypeInvalid", "Invalid value: " + path + " in body must be of type object", path});
    return;
  }
  if (!check_lists(rule, path, causes)) return;
  require_items(rule, "verbs", path, "verbs must contain at least one value", causes);
  if (!has_items(rule, "nonResourceURLs")) {
    require_items(rule, "apiGroups", path, "resource rules must supply at least one api group", causes);
    require_items(rule, "resources", path, "resource rules must supply at least one resource", causes);
    return;
  }
  const auto refuse = [&](const char* why) {
    causes.push_back({"FieldValueInvalid", "Invalid value: " + go_slice(rule["nonResourceURLs"]) + ": " + why,
                      path + ".nonResourceURLs"});
  };
  if (namespaced) refuse("namespaced rules cannot apply to non-resource URLs");
  if (has_items(rule, "apiGroups") || has_items(rule, "resources") || has_items(rule, "resourceNames")) {
    refuse("rules cannot apply to both regular resources and non-resource URLs");
  }
}

void check_aggregation(const json& object, Causes& causes) {
  const json* rule = rbac::object_in(object, "aggregationRule", "", causes);
  if (rule == nullptr) return;
  const json* selectors = rbac::array_in(*rule, "clusterRoleSelectors", "aggregationRule", causes);
  if (selectors == nullptr || selectors->empty()) {
    causes.push_back({"FieldValueRequired",
                      "Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
                      "aggregationRule.clusterRoleSelectors"});
    return;
  }
  for (std::size_t i = 0; i < selectors->size(); ++i) {
    const std::string path = "aggregationRule.clusterRoleSelectors[" + std::to_string(i) + "]";
    if (!(*selectors)[i].is_object()) {
      causes.push_back({"FieldValueTypeInvalid", "Invalid value: " + path + " in body must be of type object", path});
      continue;
    }
    const json* labels = rbac::object_in((*selectors)[i], "matchLabels", path, causes);
    if (labels != nullptr) {
      for (const auto& label : labels->items()) {
        rbac::check_strings(*labels, {label.key().c_str()}, path + ".matchLabels", causes);
      }
    }
    rbac::array_in((*selectors)[i], "matchExpressions", path, causes);
  }
}

}  // namespace

RoleResource::RoleResource(bool namespaced)
    : Resource("rbac.authorization.k8s.io/v1", namespaced ? "Role" : "ClusterRole") {}

void RoleResource::prepare_create(json& object, const std::string&) const {
  if (!object.contains("rules")) object["rules"] = nullptr;
}

Causes RoleResource::validate(const json& object) const {
  Causes causes;
  const json* rules = rbac::array_in(object, "rules", "", causes);
  for (std::size_t i = 0; rules != nullptr && i < rules->size(); ++i) {
    check_rule((*rules)[i], info().namespaced, "rules[" + std::to_string(i) + "]", causes);
  }
  if (!info().namespaced) check_aggregation(object, causes);
  return causes;
}

}  // namespace usbloop::apiserver
