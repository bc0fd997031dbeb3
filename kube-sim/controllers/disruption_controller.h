#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Keeps the status of PodDisruptionBudgets: how many pods they cover, how many of them are and must be healthy, and
/// how many may be evicted now. Evictions go by it.
class DisruptionController {
 public:
  DisruptionController(const Registry& registry, Store& store, WatchHub& hub);

 private:
  void observe(const Event& event);
  Next reconcile(const Key& key);
  [[nodiscard]] nlohmann::json status_of(const nlohmann::json& budget, std::int64_t now) const;
  /// What the subresource scale of a pod's controller says.
  [[nodiscard]] tl::expected<std::int64_t, std::string> scale_of(const std::string& namespace_,
                                                                 const nlohmann::json& owner) const;

  const Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  std::map<std::string, std::set<Key>> budgets_;  ///< by namespace
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
