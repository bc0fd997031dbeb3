#include "apiserver-sim/metrics/relay_metrics.h"

namespace usbloop::apiserver {
namespace {

/// Seconds: from a probe's to a working day's.
const prometheus::Histogram::BucketBoundaries kSessionSeconds = {0.1, 1, 10, 60, 600, 3600, 8 * 3600};

}  // namespace

std::string relay_kind(const RequestEvent& event) {
  const RequestInfo& info = event.info;
  if (!event.long_running || info.group != "subresources.kubevirt.io") return {};
  if (info.resource != "virtualmachineinstances" && info.resource != "virtualmachines") return {};
  std::string kind = info.subresource.substr(0, info.subresource.find('/'));
  for (const char* known : {"usbredir", "console", "vnc", "portforward"}) {
    if (kind == known) return kind;
  }
  return {};
}

RelayMetrics::RelayMetrics(prometheus::Registry& registry)
    : sessions_(prometheus::BuildHistogram()
                    .Name("usbloop_relay_session_duration_seconds")
                    .Help("Relays that have ended, and how long they were, by subresource.")
                    .Register(registry)),
      refusals_(prometheus::BuildCounter()
                    .Name("usbloop_relay_refusals_total")
                    .Help("Requests for a relay that were refused, by subresource and HTTP status.")
                    .Register(registry)) {}

void RelayMetrics::ended(const RequestEvent& event) {
  const std::string kind = relay_kind(event);
  if (kind.empty()) return;
  if (event.code == 101) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - event.begun;
    sessions_.Add({{"subresource", kind}}, kSessionSeconds).Observe(took.count());
  } else {
    refusals_.Add({{"subresource", kind}, {"code", std::to_string(event.code)}}).Increment();
  }
}

}  // namespace usbloop::apiserver
