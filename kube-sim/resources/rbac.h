#pragma once

#include "kube-sim/resources/resource.h"

// rbac.authorization.k8s.io/v1: who may do what, as objects. Roles hold rules, bindings give them to users.
namespace usbloop::apiserver {

inline constexpr const char* kRbacGroup = "rbac.authorization.k8s.io";
inline constexpr const char* kRoleResource = "roles.rbac.authorization.k8s.io";
inline constexpr const char* kClusterRoleResource = "clusterroles.rbac.authorization.k8s.io";
inline constexpr const char* kRoleBindingResource = "rolebindings.rbac.authorization.k8s.io";
inline constexpr const char* kClusterRoleBindingResource = "clusterrolebindings.rbac.authorization.k8s.io";

/// Role (namespaced) or ClusterRole.
class RoleResource final : public Resource {
 public:
  explicit RoleResource(bool namespaced);
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
};

/// RoleBinding (namespaced) or ClusterRoleBinding. Its roleRef never changes.
class RoleBindingResource final : public Resource {
 public:
  explicit RoleBindingResource(bool namespaced);
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  void prepare_update(nlohmann::json& object, const nlohmann::json& current, bool status_only) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

}  // namespace usbloop::apiserver
