#pragma once

#include <set>
#include <string>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/controllers/event_recorder.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// The reason of the events by which objects say that nothing acts on them.
inline constexpr const char* kNoController = "NoController";

/// Tells, once for each object, that no controller here acts on it: an Event of type Warning on each object of the
/// kinds whose schema file has a line `@no-controller`.
class NoController {
 public:
  NoController(const Registry& registry, Store& store, WatchHub& hub);

 private:
  void observe(const Event& event);
  Next reconcile(const Key& key);

  const Registry& registry_;
  Store& store_;
  EventRecorder recorder_;
  std::set<std::string> told_;  ///< uids of the objects
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
