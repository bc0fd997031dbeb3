#include "kube-sim/security/rbac_index.h"

#include <nlohmann/json.hpp>

#include "kube-sim/resources/rbac.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

bool is_role(const std::string& resource) { return resource == kRoleResource || resource == kClusterRoleResource; }

bool is_binding(const std::string& resource) {
  return resource == kRoleBindingResource || resource == kClusterRoleBindingResource;
}

/// What a subject is found by. A ServiceAccount is the user that its tokens speak for; without a namespace of its own
/// it is one of the binding's namespace.
std::string subject_key(const json& subject, const std::string& namespace_) {
  const std::string kind = text_at(subject, "/kind");
  const std::string name = text_at(subject, "/name");
  if (kind == "User") return "U" + name;
  if (kind == "Group") return "G" + name;
  if (kind != "ServiceAccount") return {};
  const std::string own = text_at(subject, "/namespace");
  const std::string& in = own.empty() ? namespace_ : own;
  return in.empty() ? std::string() : "Usystem:serviceaccount:" + in + ":" + name;
}

std::string subject_text(const json& subject, const std::string& namespace_) {
  const std::string kind = text_at(subject, "/kind");
  std::string name = text_at(subject, "/name");
  if (kind == "ServiceAccount") {
    const std::string own = text_at(subject, "/namespace");
    name += "/" + (own.empty() ? namespace_ : own);
  }
  return kind + " \"" + name + "\"";
}

RbacIndex::Binding read_binding(const Object& object) {
  const json tree = object.parse();
  RbacIndex::Binding binding{object.key, text_at(tree, "/roleRef/kind"), text_at(tree, "/roleRef/name"), {}};
  const json* subjects = element_at(tree, "/subjects");
  if (subjects == nullptr || !subjects->is_array()) return binding;
  for (const json& subject : *subjects) {
    if (!subject.is_object()) continue;
    std::string key = subject_key(subject, object.key.namespace_);
    if (!key.empty()) binding.subjects.emplace(std::move(key), subject_text(subject, object.key.namespace_));
  }
  return binding;
}

}  // namespace

std::string RbacIndex::Source::text() const {
  const bool cluster = binding.key.namespace_.empty();
  const std::string name = cluster ? binding.key.name : binding.key.name + "/" + binding.key.namespace_;
  return std::string(cluster ? "ClusterRoleBinding" : "RoleBinding") + " \"" + name + "\" of " + binding.role_kind +
         " \"" + binding.role_name + "\" to " + subject;
}

void RbacIndex::put(const Object& object) {
  const Place place(object.key.namespace_, object.key.name);
  if (is_role(object.key.resource)) {
    roles_[place] = std::make_shared<const std::vector<PolicyRule>>(read_rules(object.parse()));
  } else if (is_binding(object.key.resource)) {
    remove(object.key);
    const auto binding = std::make_shared<const Binding>(read_binding(object));
    for (const auto& [subject, text] : binding->subjects) by_subject_[{place.first, subject}][place.second] = binding;
    bindings_[place] = binding;
  }
}

void RbacIndex::remove(const Key& key) {
  const Place place(key.namespace_, key.name);
  if (is_role(key.resource)) roles_.erase(place);
  const auto found = is_binding(key.resource) ? bindings_.find(place) : bindings_.end();
  if (found == bindings_.end()) return;
  for (const auto& [subject, text] : found->second->subjects) {
    const auto bound = by_subject_.find({place.first, subject});
    if (bound == by_subject_.end()) continue;
    bound->second.erase(place.second);
    if (bound->second.empty()) by_subject_.erase(bound);
  }
  bindings_.erase(found);
}

void RbacIndex::clear() {
  roles_.clear();
  bindings_.clear();
  by_subject_.clear();
}

Rules RbacIndex::rules_of(const std::string& kind, const std::string& name, const std::string& namespace_) const {
  const auto found = roles_.find({kind == "ClusterRole" ? std::string() : namespace_, name});
  return found == roles_.end() || (kind != "ClusterRole" && namespace_.empty()) ? nullptr : found->second;
}

bool RbacIndex::visit_subject(const std::string& namespace_, const std::string& subject, const Visit& visit) const {
  const auto found = by_subject_.find({namespace_, subject});
  if (found == by_subject_.end()) return true;
  for (const auto& [name, binding] : found->second) {
    const Rules rules = rules_of(binding->role_kind, binding->role_name, namespace_);
    if (!visit({*binding, binding->subjects.at(subject)}, rules.get())) return false;
  }
  return true;
}

void RbacIndex::visit(const User& user, const std::string& namespace_, const Visit& visit) const {
  const auto visit_all = [&](const std::string& where) {
    if (!visit_subject(where, "U" + user.name, visit)) return false;
    for (const std::string& group : user.groups) {
      if (!visit_subject(where, "G" + group, visit)) return false;
    }
    return true;
  };
  if (visit_all("") && !namespace_.empty()) visit_all(namespace_);
}

}  // namespace usbloop::apiserver
