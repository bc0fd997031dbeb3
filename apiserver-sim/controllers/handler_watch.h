#pragma once

#include <chrono>

#include "apiserver-sim/api/object_writer.h"
#include "apiserver-sim/controllers/control_loop.h"
#include "apiserver-sim/controllers/event_recorder.h"
#include "apiserver-sim/resources/registry.h"
#include "apiserver-sim/store/store.h"

namespace usbloop::apiserver {

/// KubeVirt's own watch over its agents on the nodes: virt-handler renews an annotation of its Node. One that has not
/// done so for `patience` loses the label that lets VMIs be placed there; it puts that right itself when it is back.
class HandlerWatch {
 public:
  HandlerWatch(const Registry& registry, Store& store, WatchHub& hub, std::chrono::seconds patience);

 private:
  Next reconcile(const Key& key);

  const Registry& registry_;
  Store& store_;
  const std::chrono::seconds patience_;
  ObjectWriter writer_;
  EventRecorder recorder_;
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
