#include "kube-sim/security/rbac_admission.h"

#include <nlohmann/json.hpp>

#include "kube-sim/resources/rbac.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

kube::Status refused(const Resource& resource, const std::string& name, const std::string& why) {
  const std::string object = resource.qualified() + " \"" + name + "\"";
  return kube::forbidden(resource.info().group, resource.info().plural, name, object + " is forbidden: " + why);
}

/// Whether an update changes nothing but what garbage collection needs.
bool only_frees(const json& current, const json& object) {
  const auto bare = [](json tree) {
    for (const char* name : {"ownerReferences", "finalizers", "managedFields", "resourceVersion", "generation"}) {
      tree["metadata"].erase(name);
    }
    return tree;
  };
  return bare(current) == bare(object);
}

bool aggregates(const json* object) {
  if (object == nullptr) return false;
  const json* selectors = element_at(*object, "/aggregationRule/clusterRoleSelectors");
  return selectors != nullptr && selectors->is_array() && !selectors->empty();
}

const std::vector<PolicyRule>& all_rights() {
  static const std::vector<PolicyRule> kAll = {{{"*"}, {"*"}, {"*"}}, {{"*"}, {}, {}, {}, {"*"}}};
  return kAll;
}

Attributes rbac_attributes(const char* verb, const std::string& resource, const std::string& namespace_,
                           const std::string& name) {
  return {true, verb, "", kRbacGroup, resource, "", namespace_, name};
}

}  // namespace

std::optional<kube::Status> RbacAdmission::refuse(const Resource& resource, const json* current, const json& object,
                                                  const User& user) const {
  if (resource.info().group != kRbacGroup || user.in_group(kMastersGroup)) return std::nullopt;
  if (current != nullptr && only_frees(*current, object)) return std::nullopt;
  const std::string name = resource.qualified();
  if (name == kRoleResource || name == kClusterRoleResource) return refuse_role(resource, current, object, user);
  return refuse_binding(resource, object, user);
}

std::optional<kube::Status> RbacAdmission::refuse_role(const Resource& resource, const json* current,
                                                       const json& object, const User& user) const {
  const std::string name = text_at(object, "/metadata/name");
  const std::string namespace_ = resource.info().namespaced ? text_at(object, "/metadata/namespace") : std::string();
  if (authorizer_.allows(user, rbac_attributes("escalate", resource.info().plural, namespace_, name))) {
    return std::nullopt;
  }
  const std::string why = escalation(user, namespace_, read_rules(object));
  if (!why.empty()) return refused(resource, name, why);
  // A role that aggregates gets rules that nobody has judged here.
  const bool aggregating = !resource.info().namespaced && (aggregates(&object) || aggregates(current));
  if (aggregating && !escalation(user, "", all_rights()).empty()) {
    return refused(resource, name, "must have cluster-admin privileges to use the aggregationRule");
  }
  return std::nullopt;
}

std::optional<kube::Status> RbacAdmission::refuse_binding(const Resource& resource, const json& object,
                                                          const User& user) const {
  const std::string name = text_at(object, "/metadata/name");
  const std::string namespace_ = resource.info().namespaced ? text_at(object, "/metadata/namespace") : std::string();
  const std::string kind = text_at(object, "/roleRef/kind");
  const std::string role = text_at(object, "/roleRef/name");
  const std::string plural = kind == "ClusterRole" ? "clusterroles" : "roles";
  if (authorizer_.allows(user, rbac_attributes("bind", plural, namespace_, role))) return std::nullopt;
  const Rules rules = authorizer_.rules_of(kind, role, namespace_);
  if (!rules) return kube::not_found(kRbacGroup, plural, role);
  const std::string why = escalation(user, namespace_, *rules);
  return why.empty() ? std::nullopt : std::optional(refused(resource, name, why));
}

std::string RbacAdmission::escalation(const User& user, const std::string& namespace_,
                                      const std::vector<PolicyRule>& rules) const {
  const std::string who = "user " + json(user.name).dump(-1, ' ', false, json::error_handler_t::replace) +
                          " (groups=" + quoted_list(user.groups) +
                          ") is attempting to grant RBAC permissions not currently held:\n";
  const auto missing = uncovered(authorizer_.rules_for(user, namespace_), rules);
  if (!missing) return who + missing.error();
  return missing->empty() ? std::string() : who + describe(*missing);
}

}  // namespace usbloop::apiserver
