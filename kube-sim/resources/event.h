#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kEventResource = "events";

/// Core v1 Event.
class EventResource final : public Resource {
 public:
  EventResource();
  [[nodiscard]] const std::vector<std::string>& selectable_names() const override;
  [[nodiscard]] const std::vector<Column>& columns() const override;
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

}  // namespace usbloop::apiserver
