#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

/// What the scheduler knows of a node.
struct NodeView {
  bool ready = false;  ///< Ready, not cordoned, not being deleted
  std::map<std::string, std::string> labels = {};
  std::size_t room = 0;  ///< allocatable pods
  bool operator==(const NodeView&) const = default;
};
NodeView view_node(const nlohmann::json& node);

/// Whether the node has all the labels that are asked for.
bool selects(const std::map<std::string, std::string>& selector, const NodeView& node);

/// What the nodes can run.
struct Runnable {
  std::function<bool(const nlohmann::json& pod)> runs;  ///< empty: every pod
  std::string why_not;  ///< what a pod that they cannot run is told of them: "node(s) have no container runtime"
};

/// Gives each pod without a node one that fits, the node with the fewest pods first. A pod that finds none, or that no
/// node can run, gets the reason in its condition PodScheduled, and is looked at again when a node changes or gets
/// room. A pod that was bound to a node by hand and cannot run there takes no place.
class Scheduler {
 public:
  Scheduler(const Registry& registry, Store& store, WatchHub& hub, Runnable runnable = {});

 private:
  struct Waiting {
    std::map<std::string, std::string> selector;
    bool is_foreign = false;  ///< no node here can run it
  };

  void observe(const Event& event);
  void observe_node(const Event& event);
  void observe_pod(const Event& event);
  void place_on(const std::string& node, const Key& pod);
  void take_off(const Key& pod);
  void retry_waiting();
  Next reconcile(const Key& key);
  Next bind(const Key& key, const std::string& node);
  Next refuse(const Key& key, const std::string& why);
  [[nodiscard]] std::string choose_node(const std::map<std::string, std::string>& selector) const;
  [[nodiscard]] std::string why_none(const std::map<std::string, std::string>& selector) const;
  [[nodiscard]] std::string why_foreign() const;
  [[nodiscard]] std::size_t load_of(const std::string& node) const;

  [[nodiscard]] bool is_foreign(const nlohmann::json& pod) const;

  const Registry& registry_;
  Store& store_;
  const Runnable runnable_;
  ObjectWriter writer_;
  EventRecorder recorder_;
  std::map<std::string, NodeView> nodes_;
  std::map<Key, std::string> placed_;        ///< node of each pod that is not over
  std::map<std::string, std::size_t> load_;  ///< pods of each node
  std::map<Key, Waiting> waiting_;           ///< pods that found no node
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
