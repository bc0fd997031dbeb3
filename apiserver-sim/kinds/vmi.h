#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// The API group of KubeVirt's kinds.
inline constexpr const char* kKubevirtGroup = "kubevirt.io";
inline constexpr const char* kVmiResource = "virtualmachineinstances.kubevirt.io";
/// Keeps a VMI until its node has ended the guest.
inline constexpr const char* kVmiFinalizer = "kubevirt.io/foregroundDeleteVirtualMachine";
/// Its name until KubeVirt v1.6, which a stored VMI may still carry: taken off in the same moment.
inline constexpr const char* kOldVmiFinalizer = "foregroundDeleteVirtualMachine";

/// kubevirt.io/v1 VirtualMachineInstance: what KubeVirt's webhooks and its CRD do with it. wire.md sections 14
/// and 15.
class VmiResource final : public Resource {
 public:
  VmiResource();
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  /// A VMI has no status subresource: its status is written with the rest of it, by KubeVirt alone.
  void restore_protected(nlohmann::json& object, const nlohmann::json& current, const User& user) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_create(const nlohmann::json& object,
                                                          const User& user) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
  /// Lowers the grace period in the spec, which the guest's node goes by.
  bool hasten_end(nlohmann::json& object, std::int64_t wish) const override;
  [[nodiscard]] bool removable_with_finalizers(const nlohmann::json& object) const override;
};

/// spec.terminationGracePeriodSeconds: seconds between the power button and the plug; 30 when it is not given. May be
/// negative, which is no time at all.
std::int64_t termination_grace(const nlohmann::json& vmi);

/// Adds what the schema does not say of a VMI's spec, at `path` ("spec", "spec.template.spec"), to the causes.
void check_vmi_spec(const nlohmann::json& spec, const std::string& path, Causes& causes);

}  // namespace usbloop::apiserver
