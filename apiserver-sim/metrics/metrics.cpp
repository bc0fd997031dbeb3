#include "apiserver-sim/metrics/metrics.h"

#include <prometheus/registry.h>

#include <optional>

#include "apiserver-sim/metrics/connection_metrics.h"
#include "apiserver-sim/metrics/object_collector.h"
#include "apiserver-sim/metrics/phase_metrics.h"
#include "apiserver-sim/metrics/relay_bytes.h"
#include "apiserver-sim/metrics/relay_metrics.h"
#include "common/metrics/exposition.h"
#include "common/metrics/process_collector.h"
#include "kube-sim/http/server_collector.h"
#include "kube-sim/observe/request_metrics.h"

namespace usbloop::apiserver {

class Metrics::Impl {
 public:
  Impl(const Registry& registry, const Store& store, WatchHub& hub, const std::string& version)
      : requests(registry, counters),
        relays(counters),
        connections(store),
        objects(registry, store, version),
        phases(store, hub, counters) {}

  prometheus::Registry counters;
  RequestMetrics requests;
  RelayMetrics relays;
  ConnectionMetrics connections;
  ObjectCollector objects;
  PhaseMetrics phases;
  metrics::ProcessCollector process;
  std::optional<ServerCollector> server;
  std::optional<RelayBytes> bytes;
};

Metrics::Metrics(const Registry& registry, const Store& store, WatchHub& hub, const std::string& version)
    : impl_(std::make_unique<Impl>(registry, store, hub, version)) {}
Metrics::~Metrics() = default;

std::vector<RequestObserver*> Metrics::observers() { return {&impl_->requests, &impl_->relays, &impl_->connections}; }
void Metrics::attach(const Services& services, const net::Traffic& traffic) {
  impl_->server.emplace(services);
  impl_->bytes.emplace(traffic);
}

std::string Metrics::page() const {
  return metrics::exposition({&impl_->counters, &impl_->connections, &impl_->objects, &impl_->process,
                              impl_->server ? &*impl_->server : nullptr, impl_->bytes ? &*impl_->bytes : nullptr});
}

}  // namespace usbloop::apiserver
