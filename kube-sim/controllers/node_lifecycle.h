#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/controllers/event_recorder.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

struct NodeTimes {
  std::chrono::seconds grace{40};      ///< a node that has said nothing for so long is not ready
  std::chrono::seconds eviction{300};  ///< after that time in silence its pods are deleted
};

/// Watches over the nodes. A node is silent when its lease, or the heartbeat in its Ready condition, is old. Its
/// conditions are then set to Unknown and its pods marked as not ready; if it stays silent, its pods are deleted. Pods
/// of a node that no longer exists are removed. A node that speaks again puts all that right itself.
class NodeLifecycle {
 public:
  NodeLifecycle(const Registry& registry, Store& store, WatchHub& hub, NodeTimes times = {});

 private:
  void observe(const Event& event);
  void observe_pod(const Event& event);
  Next reconcile(const Key& key);
  Next check_node(const Key& key, const nlohmann::json& node);
  Next silent(const Key& key, const nlohmann::json& node, std::int64_t now);
  Next alive(const Key& key, const nlohmann::json& node);
  Next gone(const Key& key);
  void mark_pods(const std::string& node);
  void remove_pods(const std::string& node, std::optional<std::int64_t> grace);
  [[nodiscard]] std::int64_t last_beat(const std::string& name, const nlohmann::json& node) const;

  const Registry& registry_;
  Store& store_;
  const NodeTimes times_;
  ObjectWriter writer_;
  EventRecorder recorder_;
  std::map<std::string, std::int64_t> leases_;  ///< last renewal, by node
  std::map<std::string, std::set<Key>> pods_;   ///< that are not over, by node
  std::map<std::string, std::int64_t> gone_since_;
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
