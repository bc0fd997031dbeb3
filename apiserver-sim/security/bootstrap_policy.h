#pragma once

#include <span>
#include <string_view>

// The roles and bindings that the server makes and keeps by itself: one table, in bootstrap_policy.cpp.
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
  bool kubernetes = true;            ///< labelled as Kubernetes' own defaults; else as KubeVirt's
};

/// ClusterRoleBinding to groups. Named as its role unless it has a name.
struct BootstrapBinding {
  std::string_view role;
  std::string_view groups;
  std::string_view name = {};
};

std::span<const BootstrapRole> bootstrap_roles();
std::span<const BootstrapBinding> bootstrap_bindings();

}  // namespace usbloop::apiserver
