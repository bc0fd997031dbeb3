#pragma once

#include "apiserver-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kPodResource = "pods";
/// The namespace that KubeVirt itself lives in.
inline constexpr const char* kKubeVirtNamespace = "kubevirt";
/// Says what a pod of KubeVirt is: "virt-launcher" or "virt-handler".
inline constexpr const char* kAppLabel = "kubevirt.io";
/// On a launcher pod: the uid of its VMI.
inline constexpr const char* kCreatedByLabel = "kubevirt.io/created-by";

/// Core v1 Pod: the shape that KubeVirt's pods have. A pod that has a node and is not over keeps, after a DELETE, until
/// its node has ended it (a second DELETE with no grace).
class PodResource final : public Resource {
 public:
  PodResource();
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
  [[nodiscard]] std::int64_t deletion_grace(const nlohmann::json& object,
                                            std::optional<std::int64_t> wish) const override;
  [[nodiscard]] const std::vector<std::string>& selectable_names() const override;
  [[nodiscard]] const std::vector<Column>& columns() const override;
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

/// "Guaranteed", "Burstable" or "BestEffort", from what the containers ask for.
std::string qos_class(const nlohmann::json& pod);

/// uid of the VMI whose guest runs in the pod; empty for every other pod. By its owner: labels are for everyone to
/// change.
std::string vmi_uid_of(const nlohmann::json& pod);
/// Whether a node of the loop can run the pod: a guest's, or virt-handler's. There is no container runtime.
bool is_kubevirt_pod(const nlohmann::json& pod);

/// Succeeded or Failed.
bool is_over(const nlohmann::json& pod);

/// Whether a condition of that type is "True".
bool has_condition(const nlohmann::json& object, const char* type);

}  // namespace usbloop::apiserver
