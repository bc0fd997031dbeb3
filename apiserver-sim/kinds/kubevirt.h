#pragma once

#include <string_view>

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// The group of KubeVirt's subresources, which its API server answers.
inline constexpr std::string_view kSubresourceGroup = "subresources.kubevirt.io";
inline constexpr const char* kKubeVirt = "kubevirts.kubevirt.io";
/// The namespace that KubeVirt itself lives in.
inline constexpr const char* kKubeVirtNamespace = "kubevirt";
/// Says what a pod of KubeVirt is: "virt-launcher" or "virt-handler".
inline constexpr const char* kAppLabel = "kubevirt.io";
/// On a launcher pod: the uid of its VMI.
inline constexpr const char* kCreatedByLabel = "kubevirt.io/created-by";

/// kubevirt.io/v1 KubeVirt: the object in which KubeVirt's operator says what it has installed. It has installed
/// everything, always.
class KubeVirtResource final : public Resource {
 public:
  KubeVirtResource();
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
};

}  // namespace usbloop::apiserver
