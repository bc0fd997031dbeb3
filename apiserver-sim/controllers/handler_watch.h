#pragma once

#include <chrono>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/controllers/event_recorder.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// KubeVirt's own watch over its agents on the nodes. virt-handler renews an annotation of its Node. A node whose
/// virt-handler has not done so for `patience` loses the label that lets VMIs be placed there. virt-handler sets the
/// label again when it is back.
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
