#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "kube-sim/http/services.h"

namespace usbloop::apiserver {

/// The front door's own numbers: connections and watches that are open and how many may be, refusals by cause.
/// Thread-safe.
class ServerCollector final : public prometheus::Collectable {
 public:
  /// `services` outlives this object.
  explicit ServerCollector(const Services& services) : services_(services) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Services& services_;
};

}  // namespace usbloop::apiserver
