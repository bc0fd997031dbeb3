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

/// Makes the namespaces that every cluster has, and `more`, as far as they are missing.
Result<> make_system_namespaces(const Registry& registry, Store& store, std::vector<std::string> more = {});

/// Empties namespaces that are being deleted and lets them go when nothing is left in them.
class NamespaceController {
 public:
  NamespaceController(const Registry& registry, Store& store, WatchHub& hub);

 private:
  /// What is still in a namespace.
  struct Remains {
    std::map<std::string, std::size_t> objects;     ///< by resource
    std::map<std::string, std::size_t> finalizers;  ///< that are waited for
  };

  void observe(const Event& event);
  Next reconcile(const Key& key);
  /// Deletes what is in the namespace and tells what stays.
  Remains empty_out(const std::string& name);
  Next tell(const Key& key, const Remains& remains);
  [[nodiscard]] std::vector<std::string> resource_names() const;

  const Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  std::set<std::string> terminating_;
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
