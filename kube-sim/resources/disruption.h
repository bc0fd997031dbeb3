#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "kube-sim/store/object.h"

namespace usbloop::apiserver {

inline constexpr const char* kDisruptionBudgetResource = "poddisruptionbudgets.policy";

/// What a PodDisruptionBudget says of the pods that there are.
struct Disruption {
  std::int64_t expected = 0;  ///< pods that the budget is for
  std::int64_t healthy = 0;   ///< of them ready
  std::int64_t desired = 0;   ///< that must be
  [[nodiscard]] std::int64_t allowed() const { return healthy > desired ? healthy - desired : 0; }
};

/// Whether the pod is one of the budget's; pods that are over count for none.
bool budget_covers(const nlohmann::json& budget, const nlohmann::json& pod);
/// `pods`: those of the budget's namespace.
Disruption disruption_of(const nlohmann::json& budget, const std::vector<ObjectPtr>& pods);

}  // namespace usbloop::apiserver
