#pragma once

#include "kube-sim/objects/admission.h"
#include "kube-sim/security/rbac_authorizer.h"

namespace usbloop::apiserver {

/// Nobody grants what they do not have: writing a role takes all of its rights or the verb `escalate`, writing a
/// binding all rights of its role or the verb `bind`. As kube-apiserver's policy-based storage of RBAC's objects.
class RbacAdmission final : public Admission {
 public:
  explicit RbacAdmission(const RbacAuthorizer& authorizer) : authorizer_(authorizer) {}
  [[nodiscard]] std::optional<kube::Status> refuse(const Resource& resource, const nlohmann::json* current,
                                                   const nlohmann::json& object, const User& user) const override;

 private:
  [[nodiscard]] std::optional<kube::Status> refuse_role(const Resource& resource, const nlohmann::json* current,
                                                        const nlohmann::json& object, const User& user) const;
  [[nodiscard]] std::optional<kube::Status> refuse_binding(const Resource& resource, const nlohmann::json& object,
                                                           const User& user) const;
  /// What is missing to the user, in kube-apiserver's words; empty when nothing is.
  [[nodiscard]] std::string escalation(const User& user, const std::string& namespace_,
                                       const std::vector<PolicyRule>& rules) const;

  const RbacAuthorizer& authorizer_;
};

}  // namespace usbloop::apiserver
