#pragma once

#include <memory>

#include "apiserver-sim/controllers/controller_options.h"
#include "apiserver-sim/resources/registry.h"
#include "apiserver-sim/store/store.h"

namespace usbloop::apiserver {

/// All controllers of the server, each with a thread of its own: what kube-controller-manager, kube-scheduler and
/// virt-controller are in a cluster. They run from construction to destruction.
class Controllers {
 public:
  Controllers(const Registry& registry, Store& store, WatchHub& hub, const ControllerOptions& options);
  ~Controllers();
  Controllers(const Controllers&) = delete;
  Controllers& operator=(const Controllers&) = delete;

 private:
  struct All;
  std::unique_ptr<All> all_;
};

}  // namespace usbloop::apiserver
