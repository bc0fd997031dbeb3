#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Kubernetes' garbage collector. It deletes an object whose owners (metadata.ownerReferences) are all gone. An owner
/// that is deleted in the foreground goes after the objects that block it. An owner that is deleted with "Orphan"
/// leaves them behind without the reference. Owners of kinds that this server does not have are taken to exist.
class GarbageCollector {
 public:
  GarbageCollector(const Registry& registry, Store& store, WatchHub& hub);

 private:
  void observe(const Event& event);
  void index(const Object& object, bool deleted);
  void follow_custom(const std::string& resource, bool gone);
  [[nodiscard]] ResourcePtr kind_named(const std::string& group, const std::string& kind) const;
  void add_waiting_owners(const std::vector<std::string>& uids);
  Next reconcile(const Key& key);
  Next check_owners(const Key& key, const nlohmann::json& object);
  Next finish_foreground(const Key& key, const nlohmann::json& owner);
  Next finish_orphan(const Key& key, const nlohmann::json& owner);
  Next remove(const Key& key, const std::string& uid, const char* propagation);
  Next strip_references(const Key& key, const std::set<std::string>& uids);
  Next drop_finalizer(const Key& key, const char* finalizer);

  enum class OwnerState { solid, waiting, absent };
  [[nodiscard]] OwnerState state_of(const nlohmann::json& reference, const std::string& namespace_) const;
  [[nodiscard]] std::vector<std::string> resource_names() const;
  [[nodiscard]] std::set<Key> dependents_of(const std::string& uid) const;

  const Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  std::map<Key, std::vector<std::string>> owners_;   ///< uids of the owners of an object that has any
  std::map<std::string, std::set<Key>> dependents_;  ///< by the owner's uid
  std::map<std::string, Key> waiting_;               ///< deleted owners that wait for us, by uid
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
