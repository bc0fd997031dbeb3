#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/controllers/event_recorder.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// virt-controller's part for VMIs: makes the launcher pod of each, moves the VMI from Pending to Scheduled as the pod
/// goes, deletes the pod with the VMI, and lets a deleted VMI go when its pods are gone.
class VmiController {
 public:
  VmiController(const Registry& registry, Store& store, WatchHub& hub);

 private:
  void observe(const Event& event);
  void observe_pod(const Event& event);
  Next reconcile(const Key& key);
  Next create_pod(const nlohmann::json& vmi);
  Next delete_pods(const std::vector<ObjectPtr>& pods);
  Next write(const Key& key, const std::string& uid, const nlohmann::json* pod);
  [[nodiscard]] std::vector<ObjectPtr> pods_of(const std::string& uid) const;

  const Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  EventRecorder recorder_;
  // By the VMI's uid.
  std::map<std::string, std::set<Key>> pods_;
  std::map<std::string, Key> vmis_;
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
