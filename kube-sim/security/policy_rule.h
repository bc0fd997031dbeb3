#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "kube-sim/security/authorizer.h"

// RBAC's rules as values: what they allow, and whether some rules hold all that others give.
namespace usbloop::apiserver {

/// One rule of a Role or ClusterRole: verbs on resources, or on paths. "*" stands for all.
struct PolicyRule {
  std::vector<std::string> verbs;
  std::vector<std::string> groups;      ///< apiGroups; "" is the core group
  std::vector<std::string> resources;   ///< "pods", "pods/status", "*/status"
  std::vector<std::string> names = {};  ///< resourceNames; empty: any
  std::vector<std::string> urls = {};   ///< nonResourceURLs; a trailing "*" stands for any rest
  bool operator==(const PolicyRule&) const = default;

  [[nodiscard]] bool allows(const Attributes& attributes) const;
};

/// The `rules` of a role's object, or of anything else that has them. Values that are no lists of strings are left out.
std::vector<PolicyRule> read_rules(const nlohmann::json& object);
nlohmann::json to_json(const PolicyRule& rule);

/// The parts of `wanted` that `held` does not cover, split up into single verbs on single resources; empty when all is
/// covered. An error for rules of absurd size.
tl::expected<std::vector<PolicyRule>, std::string> uncovered(const std::vector<PolicyRule>& held,
                                                             const std::vector<PolicyRule>& wanted);

/// The rules as kube-apiserver names them in a refusal, one a line: `{APIGroups:["x"], Resources:["y"], Verbs:["z"]}`.
/// Verbs of the same resource are put together.
std::string describe(std::vector<PolicyRule> rules);

/// `["a" "b"]`: a list of strings as Go prints it with %q.
std::string quoted_list(const std::vector<std::string>& items);

}  // namespace usbloop::apiserver
