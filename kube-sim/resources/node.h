#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kNodeResource = "nodes";

class NodeResource final : public Resource {
 public:
  NodeResource();
  /// A node may come with its status, as a kubelet registers it.
  [[nodiscard]] bool takes_status_at_creation() const override { return true; }
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

}  // namespace usbloop::apiserver
