#include "kube-sim/observe/request_metrics.h"

#include <string>

#include "kube-sim/observe/request_labels.h"

namespace usbloop::apiserver {
namespace {

/// kube-apiserver's.
const prometheus::Histogram::BucketBoundaries kRequestSeconds = {
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60};

prometheus::Family<prometheus::Gauge>& in_flight_family(prometheus::Registry& registry) {
  return prometheus::BuildGauge()
      .Name("apiserver_current_inflight_requests")
      .Help("Requests that are being served now, without watches and relays, per request kind.")
      .Register(registry);
}

}  // namespace

RequestMetrics::RequestMetrics(const Registry& resources, prometheus::Registry& registry)
    : resources_(resources),
      total_(prometheus::BuildCounter()
                 .Name("apiserver_request_total")
                 .Help("Requests by verb, resource, scope, HTTP status and so on; code 0: the client went before it "
                       "was answered.")
                 .Register(registry)),
      duration_(prometheus::BuildHistogram()
                    .Name("apiserver_request_duration_seconds")
                    .Help("Seconds from a request's head to the end of its answer, without watches and relays.")
                    .Register(registry)),
      long_running_(prometheus::BuildGauge()
                        .Name("apiserver_longrunning_requests")
                        .Help("Watches and relays that are open now.")
                        .Register(registry)),
      watch_events_(prometheus::BuildCounter()
                        .Name("apiserver_watch_events_total")
                        .Help("Events that were sent to watchers, by resource.")
                        .Register(registry)),
      mutating_(in_flight_family(registry).Add({{"request_kind", "mutating"}})),
      reading_(in_flight_family(registry).Add({{"request_kind", "readOnly"}})) {}

void RequestMetrics::move_gauges(const RequestEvent& event, double by) {
  if (event.long_running) {
    auto labels = request_labels(resources_, event);
    labels.erase("dry_run");
    long_running_.Add(labels).Increment(by);
  } else {
    (is_mutating(event) ? mutating_ : reading_).Increment(by);
  }
}

void RequestMetrics::began(const RequestEvent& event) { move_gauges(event, 1); }

void RequestMetrics::sent(const RequestEvent& event, std::size_t events) {
  // A watch runs only for a resource that is known.
  const RequestInfo& info = event.info;
  watch_events_.Add({{"group", info.group}, {"version", info.version}, {"resource", info.resource}})
      .Increment(static_cast<double>(events));
}

void RequestMetrics::ended(const RequestEvent& event) {
  move_gauges(event, -1);
  auto labels = request_labels(resources_, event);
  if (!event.long_running) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - event.begun;
    duration_.Add(labels, kRequestSeconds).Observe(took.count());
  }
  labels["code"] = std::to_string(event.code);
  total_.Add(labels).Increment();
}

}  // namespace usbloop::apiserver
