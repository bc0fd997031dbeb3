#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kDeploymentResource = "deployments.apps";
inline constexpr const char* kStatefulSetResource = "statefulsets.apps";
inline constexpr const char* kDaemonSetResource = "daemonsets.apps";

/// apps/v1 Deployment, StatefulSet or DaemonSet: pods by a template. Their selector fits the template and never
/// changes.
class WorkloadResource final : public Resource {
 public:
  explicit WorkloadResource(const std::string& kind);
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
};

}  // namespace usbloop::apiserver
