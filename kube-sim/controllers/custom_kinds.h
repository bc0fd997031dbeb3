#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// As many kinds are made from users' definitions. Further ones say in their condition Established that they are not.
inline constexpr std::size_t kMostCustomKinds = 500;

/// Serves the kinds that users' CustomResourceDefinitions define, for as long as there is the definition, and says so
/// in its conditions. A definition that is deleted takes its objects along. Definitions of kinds that the registry was
/// made with are left alone: they tell what is there.
class CustomKinds {
 public:
  /// Serves what is in the store before it returns. The registry must outlive this object.
  CustomKinds(Registry& registry, Store& store, WatchHub& hub);

 private:
  /// Those that are established: what loop_ keeps from then on.
  std::map<std::string, std::int64_t> serve_stored();
  Next reconcile(const Key& key);
  Next serve(const Key& key, const nlohmann::json& definition);
  Next finish(const Key& key, const nlohmann::json& definition);
  void put(const Key& key, const nlohmann::json& definition, bool terminating);
  /// Why the definition's names cannot be accepted: they are another kind's.
  [[nodiscard]] std::optional<std::string> name_conflict(const nlohmann::json& definition) const;

  Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  std::map<std::string, std::int64_t> served_;  ///< generation by name
  std::set<Key> waiting_;                       ///< definitions for whose kind there is no room
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
