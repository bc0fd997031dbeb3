#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kVmResource = "virtualmachines.kubevirt.io";
/// Keeps a VM until its controller has seen its VMI go.
inline constexpr const char* kVmFinalizer = "kubevirt.io/virtualMachineControllerFinalize";

/// kubevirt.io/v1 VirtualMachine: what KubeVirt's webhooks and its CRD do with it. wire.md sections 14 and 15.
class VmResource final : public Resource {
 public:
  VmResource();
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  /// Notes the wish for the VM's controller, which deletes the VMI.
  bool hasten_end(nlohmann::json& object, std::int64_t wish) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_create(const nlohmann::json& object,
                                                          const User& user) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
  [[nodiscard]] std::optional<kube::Status> admit(const nlohmann::json& object) const override;
};

/// The grace period in seconds with which the VM was deleted, if the one who did it gave one.
std::optional<std::int64_t> deletion_wish(const nlohmann::json& vm);

/// The refusal of one of KubeVirt's webhooks.
kube::Status webhook_refusal(const std::string& webhook, Causes causes);

/// Always, Halted, Manual, RerunOnFailure or Once; spec.running counts as Always or Halted.
std::string run_strategy_of(const nlohmann::json& vm);

}  // namespace usbloop::apiserver
