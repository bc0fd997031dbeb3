#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "common/net/traffic.h"

namespace usbloop::apiserver {

/// The bytes that the streams to the nodes have carried, as they go. Thread-safe.
class RelayBytes final : public prometheus::Collectable {
 public:
  /// `traffic` outlives this object.
  explicit RelayBytes(const net::Traffic& traffic) : traffic_(traffic) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const net::Traffic& traffic_;
};

}  // namespace usbloop::apiserver
