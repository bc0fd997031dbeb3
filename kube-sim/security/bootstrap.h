#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

// The roles and bindings that a server makes and keeps by itself.
namespace usbloop::apiserver {

/// One rule. Lists are words with blanks between them.
struct BootstrapRule {
  std::string_view verbs;
  std::string_view groups;  ///< API groups; "core" is the one without a name
  std::string_view resources;
  std::string_view urls = {};
};

struct BootstrapRole {
  std::string_view name;
  std::span<const BootstrapRule> rules;
  std::string_view joins = {};       ///< "admin": the label rbac.authorization.k8s.io/aggregate-to-admin
  std::string_view aggregates = {};  ///< "admin": holds the rules of all ClusterRoles with that label
};

/// ClusterRoleBinding to groups. Named as its role unless it has a name.
struct BootstrapBinding {
  std::string_view role;
  std::string_view groups;
  std::string_view name = {};
};

/// What one author brings along. The tables live as long as the program.
struct BootstrapPolicy {
  std::span<const BootstrapRole> roles;
  std::span<const BootstrapBinding> bindings;
  std::string_view label = {};  ///< the author's on each object; empty: that of Kubernetes' own defaults
  bool exact = false;           ///< roles have these rules alone: what others have added to them goes
};

/// Makes the roles and bindings of the policies as far as they are missing, and gives existing ones back the rules,
/// labels and subjects that they have lost, as kube-apiserver does at each start; exact ones are as virt-operator
/// keeps its roles. Those with the annotation
/// rbac.authorization.kubernetes.io/autoupdate "false" are left alone. Ends with all aggregated roles resolved.
Result<> apply_bootstrap_policies(const Registry& registry, Store& store, const std::vector<BootstrapPolicy>& policies);

}  // namespace usbloop::apiserver
