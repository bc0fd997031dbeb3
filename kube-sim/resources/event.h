#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kEventResource = "events";

/// Core v1 Event.
class EventResource final : public Resource {
 public:
  EventResource();
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

}  // namespace usbloop::apiserver
