#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kNodeResource = "nodes";

class NodeResource final : public Resource {
 public:
  NodeResource();
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

}  // namespace usbloop::apiserver
