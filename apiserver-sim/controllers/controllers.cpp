#include "apiserver-sim/controllers/controllers.h"

#include "apiserver-sim/controllers/handler_watch.h"
#include "apiserver-sim/controllers/vm_controller.h"
#include "apiserver-sim/controllers/vmi_controller.h"
#include "apiserver-sim/kinds/kubevirt_pod.h"
#include "kube-sim/controllers/disruption_controller.h"
#include "kube-sim/controllers/event_expiry.h"
#include "kube-sim/controllers/garbage_collector.h"
#include "kube-sim/controllers/namespace_controller.h"
#include "kube-sim/controllers/namespace_defaults.h"
#include "kube-sim/controllers/no_controller.h"
#include "kube-sim/controllers/node_lifecycle.h"
#include "kube-sim/controllers/scheduler.h"

namespace usbloop::apiserver {

Runnable what_nodes_run() {
  return {is_kubevirt_pod, "node(s) run guests of KubeVirt only and have no container runtime"};
}

struct Controllers::All {
  All(const Registry& registry, Store& store, WatchHub& hub, const ControllerOptions& options)
      : events(registry, store, hub, options.event_ttl),
        namespaces(registry, store, hub),
        namespace_defaults(registry, store, hub, options.root_ca),
        disruption(registry, store, hub),
        no_controller(registry, store, hub),
        garbage(registry, store, hub),
        nodes(registry, store, hub, options.node),
        scheduler(registry, store, hub, what_nodes_run()),
        handlers(registry, store, hub, options.handler),
        vmis(registry, store, hub),
        vms(registry, store, hub) {}

  EventExpiry events;
  NamespaceController namespaces;
  NamespaceDefaults namespace_defaults;
  DisruptionController disruption;
  NoController no_controller;
  GarbageCollector garbage;
  NodeLifecycle nodes;
  Scheduler scheduler;
  HandlerWatch handlers;
  VmiController vmis;
  VmController vms;
};

Controllers::Controllers(const Registry& registry, Store& store, WatchHub& hub, const ControllerOptions& options)
    : all_(std::make_unique<All>(registry, store, hub, options)) {}

Controllers::~Controllers() = default;

}  // namespace usbloop::apiserver
