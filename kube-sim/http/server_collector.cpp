#include "kube-sim/http/server_collector.h"

#include <utility>

#include "common/metrics/exposition.h"

namespace usbloop::apiserver {

using metrics::add_sample;
using metrics::counter_family;
using metrics::gauge_family;

std::vector<prometheus::MetricFamily> ServerCollector::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  const auto show = [&](prometheus::MetricFamily family, std::size_t value) {
    add_sample(family, {}, static_cast<double>(value));
    families.push_back(std::move(family));
  };
  const Limits& limits = services_.limits;
  show(gauge_family("usbloop_connections", "Connections that are open now."), services_.connections);
  show(gauge_family("usbloop_connections_limit", "Connections that may be open."), limits.connections);
  show(gauge_family("usbloop_watches", "Watches that are open now."), services_.watches);
  show(gauge_family("usbloop_watches_limit", "Watches that may be open."), limits.watches);

  auto refusals =
      counter_family("usbloop_refusals_total", "Connections ended and requests refused by the front door, by cause.");
  for (std::size_t i = 0; i < static_cast<std::size_t>(Refusal::last_); ++i) {
    const auto refusal = static_cast<Refusal>(i);
    add_sample(refusals, {{"cause", name_of(refusal)}}, static_cast<double>(services_.refusals.of(refusal)));
  }
  families.push_back(std::move(refusals));
  return families;
}

}  // namespace usbloop::apiserver
