#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace usbloop::metrics {

/// This process as every Prometheus client library shows its own: process_cpu_seconds_total, memory, descriptors,
/// start time, threads. Reads /proc at each scrape; what cannot be read is left out.
class ProcessCollector final : public prometheus::Collectable {
 public:
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace usbloop::metrics
