#pragma once

#include <memory>

#include "apiserver-sim/controllers/controller_options.h"
#include "kube-sim/controllers/scheduler.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// For the scheduler: the nodes of the loop run KubeVirt's pods.
Runnable what_nodes_run();

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
