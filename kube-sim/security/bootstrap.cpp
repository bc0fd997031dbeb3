#include "kube-sim/security/bootstrap.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/rbac.h"
#include "kube-sim/security/policy_rule.h"
#include "kube-sim/security/role_aggregation.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kAutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

const User& self() {
  static const User kUser{"system:apiserver", "", {kMastersGroup}};
  return kUser;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!word.empty()) list.emplace_back(word == "core" ? std::string_view() : word);
  }
  return list;
}

std::string aggregation_label(std::string_view role) {
  return "rbac.authorization.k8s.io/aggregate-to-" + std::string(role);
}

json metadata_of(const BootstrapPolicy& policy, std::string_view name) {
  if (!policy.label.empty()) return {{"name", name}, {"labels", {{policy.label, ""}}}};
  return {{"name", name},
          {"labels", {{"kubernetes.io/bootstrapping", "rbac-defaults"}}},
          {"annotations", {{kAutoUpdate, "true"}}}};
}

/// What the schema files allow the role with that aggregation label: kinds of one group with the same verbs together.
void add_rules_of_kinds(const Registry& registry, std::string_view role, json& rules) {
  std::map<std::pair<std::string, std::vector<std::string>>, std::vector<std::string>> resources;
  for (const ResourcePtr& kind : registry.all()) {
    if (kind->description() == nullptr) continue;
    const ResourceInfo& info = kind->info();
    for (const KindDescription::Right& right : kind->description()->rights) {
      if (right.role != role) continue;
      auto& names = resources[{info.group, right.verbs}];
      names.push_back(info.plural);
      for (const std::string& subresource : right.subresources) names.push_back(info.plural + "/" + subresource);
    }
  }
  for (const auto& [what, names] : resources)
    rules.push_back(to_json(PolicyRule{what.second, {what.first}, names, {}, {}}));
}

json role_object(const Registry& registry, const BootstrapPolicy& policy, const BootstrapRole& role) {
  json object = {{"metadata", metadata_of(policy, role.name)}, {"rules", json::array()}};
  if (!role.joins.empty()) object["metadata"]["labels"][aggregation_label(role.joins)] = "true";
  if (!role.aggregates.empty()) {
    json selector = {{"matchLabels", {{aggregation_label(role.aggregates), "true"}}}};
    object["aggregationRule"]["clusterRoleSelectors"] = json::array({std::move(selector)});
  }
  for (const BootstrapRule& rule : role.rules) {
    object["rules"].push_back(
        to_json(PolicyRule{words(rule.verbs), words(rule.groups), words(rule.resources), {}, words(rule.urls)}));
  }
  // Kubernetes' own roles have them, of which there is one for each label.
  if (policy.label.empty() && !role.joins.empty()) add_rules_of_kinds(registry, role.joins, object["rules"]);
  return object;
}

json binding_object(const BootstrapPolicy& policy, const BootstrapBinding& binding) {
  const std::string_view name = binding.name.empty() ? binding.role : binding.name;
  json object = {{"metadata", metadata_of(policy, name)},
                 {"roleRef", {{"apiGroup", kRbacGroup}, {"kind", "ClusterRole"}, {"name", binding.role}}},
                 {"subjects", json::array()}};
  object["metadata"]["annotations"][kAutoUpdate] = "true";
  for (const std::string& group : words(binding.groups)) {
    object["subjects"].push_back({{"apiGroup", kRbacGroup}, {"kind", "Group"}, {"name", group}});
  }
  return object;
}

/// Adds the entries of `wanted` that are missing in a map of the metadata.
void complete_map(json& object, const json& wanted, const char* name) {
  const auto entries = wanted["metadata"].find(name);
  if (entries == wanted["metadata"].end()) return;
  json& own = object["metadata"][name];
  if (!own.is_object()) own = json::object();
  for (const auto& [key, value] : entries->items()) {
    if (!own.contains(key)) own[key] = value;
  }
}

json completed(json object, const json& wanted, bool exact) {
  complete_map(object, wanted, "labels");
  complete_map(object, wanted, "annotations");
  if (wanted.contains("aggregationRule")) {
    // The rules of an aggregated role come from other roles.
    if (!object.contains("aggregationRule")) object["aggregationRule"] = wanted["aggregationRule"];
  } else if (wanted.contains("rules") && exact) {
    object["rules"] = wanted["rules"];
  } else if (wanted.contains("rules")) {
    const auto missing = uncovered(read_rules(object), read_rules(wanted));
    if (!object["rules"].is_array()) object["rules"] = json::array();
    for (const PolicyRule& rule : missing.value_or(std::vector<PolicyRule>())) object["rules"].push_back(to_json(rule));
  }
  for (const json& subject : wanted.value("subjects", json::array())) {
    json& own = object["subjects"];
    if (!own.is_array()) own = json::array();
    if (std::find(own.begin(), own.end(), subject) == own.end()) own.push_back(subject);
  }
  return object;
}

std::optional<kube::Status> reconcile(ObjectWriter& writer, Store& store, const Resource& resource, const json& wanted,
                                      bool exact) {
  const Key key{resource.qualified(), "", text_at(wanted, "/metadata/name")};
  const ObjectPtr found = store.get(key);
  if (found) {
    const json current = found->parse();
    const json* annotations = element_at(current, "/metadata/annotations");
    if (annotations != nullptr && annotations->is_object() && annotations->value(kAutoUpdate, "") == "false")
      return std::nullopt;
    // A binding cannot be pointed to another role, so it is made anew.
    const bool other_role = wanted.contains("roleRef") && current["roleRef"] != wanted["roleRef"];
    if (!other_role) {
      const auto outcome = writer.update(resource, key, self(), {},
                                         [&](const json& object) { return completed(object, wanted, exact); });
      return outcome ? std::nullopt : std::optional(outcome.error());
    }
    if (const auto removed = writer.remove(resource, key, {}); !removed) return removed.error();
  }
  const auto outcome = writer.create(resource, "", wanted, false);
  return outcome ? std::nullopt : std::optional(outcome.error());
}

}  // namespace

Result<> apply_bootstrap_policies(const Registry& registry, Store& store,
                                  const std::vector<BootstrapPolicy>& policies) {
  ObjectWriter writer(store);
  const auto keep = [&](const char* resource, const json& wanted, bool exact) -> Result<> {
    const auto refused = reconcile(writer, store, *registry.find_qualified(resource), wanted, exact);
    if (!refused) return {};
    return make_error(ErrorKind::internal, "make the " + std::string(resource), text_at(wanted, "/metadata/name"),
                      refused->message);
  };
  for (const BootstrapPolicy& policy : policies) {
    for (const BootstrapRole& role : policy.roles) {
      const json wanted = role_object(registry, policy, role);
      if (auto kept = keep(kClusterRoleResource, wanted, policy.exact); !kept) return kept;
    }
    for (const BootstrapBinding& binding : policy.bindings) {
      if (auto kept = keep(kClusterRoleBindingResource, binding_object(policy, binding), policy.exact); !kept)
        return kept;
    }
  }
  return aggregate_roles(registry, store);
}

}  // namespace usbloop::apiserver
