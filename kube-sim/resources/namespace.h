#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kNamespaceResource = "namespaces";

/// A namespace stays, in phase Terminating, until the namespace controller has emptied it: the finalizer "kubernetes"
/// in its spec stands for that.
class NamespaceResource final : public Resource {
 public:
  NamespaceResource();
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  /// Those that Kubernetes itself lives in (its admission plugin NamespaceLifecycle).
  [[nodiscard]] std::optional<kube::Status> refuse_delete(const std::string& name) const override;
};

}  // namespace usbloop::apiserver
