#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "kube-sim/observe/request_observer.h"
#include "kube-sim/resources/registry.h"

namespace usbloop::apiserver {

/// Counts requests under kube-apiserver's names: apiserver_request_total, apiserver_request_duration_seconds,
/// apiserver_current_inflight_requests, apiserver_longrunning_requests. Thread-safe.
class RequestMetrics final : public RequestObserver {
 public:
  /// Both outlive this object.
  RequestMetrics(const Registry& resources, prometheus::Registry& registry);

  void began(const RequestEvent& event) override;
  void started(const RequestEvent&) override {}
  void sent(const RequestEvent& event, std::size_t events) override;
  void ended(const RequestEvent& event) override;

 private:
  void move_gauges(const RequestEvent& event, double by);

  const Registry& resources_;
  prometheus::Family<prometheus::Counter>& total_;
  prometheus::Family<prometheus::Histogram>& duration_;
  prometheus::Family<prometheus::Gauge>& long_running_;
  prometheus::Family<prometheus::Counter>& watch_events_;
  prometheus::Gauge& mutating_;
  prometheus::Gauge& reading_;
};

}  // namespace usbloop::apiserver
