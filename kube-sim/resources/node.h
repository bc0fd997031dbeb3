#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kNodeResource = "nodes";

class NodeResource final : public Resource {
 public:
  NodeResource();
  /// A node may come with its status, as a kubelet registers it.
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

}  // namespace usbloop::apiserver
