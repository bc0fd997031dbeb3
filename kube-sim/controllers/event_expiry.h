#pragma once

#include <chrono>

#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Removes Events some time after they were last told, so that the store stays bounded.
class EventExpiry {
 public:
  EventExpiry(const Registry& registry, Store& store, WatchHub& hub, std::chrono::seconds ttl);

 private:
  Next reconcile(const Key& key);

  const Resource* resource_;
  Store& store_;
  ObjectWriter writer_;
  const std::chrono::seconds ttl_;
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
