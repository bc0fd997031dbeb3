#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace usbloop::apiserver {

inline constexpr const char* kDisruptionBudgetResource = "poddisruptionbudgets.policy";

/// What a PodDisruptionBudget says of the pods that there are.
struct Disruption {
  std::int64_t expected = 0;  ///< pods that the budget is for
  std::int64_t healthy = 0;   ///< of them ready, and not on their way out
  std::int64_t desired = 0;   ///< that must be
  [[nodiscard]] std::int64_t allowed() const { return expected > 0 && healthy > desired ? healthy - desired : 0; }
};

/// How many pods the controller of that ownerReference wants; or why that is not known.
using ScaleOf = std::function<tl::expected<std::int64_t, std::string>(const nlohmann::json& owner)>;

/// For how long a pod that was evicted counts as gone although it is there.
inline constexpr std::int64_t kDisruptedSeconds = 120;

/// Whether the pod's labels are those that the budget selects.
bool budget_covers(const nlohmann::json& budget, const nlohmann::json& pod);

/// As the disruption controller counts. `pods`: those that the budget covers. A share, and what may be missing, is of
/// the number that the pods' controllers want. Pods in `disrupted` (names) count as gone. The error says why the pods
/// cannot be counted.
tl::expected<Disruption, std::string> disruption_of(const nlohmann::json& budget,
                                                    const std::vector<nlohmann::json>& pods,
                                                    const nlohmann::json& disrupted, const ScaleOf& scale_of);

}  // namespace usbloop::apiserver
