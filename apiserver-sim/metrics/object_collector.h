#pragma once

#include <prometheus/collectable.h>
#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// What is in the store, as virt-controller shows it (kubevirt_vmi_info, kubevirt_vmi_phase_count,
/// kubevirt_number_of_vms, the components that are up) and as kube-apiserver does (apiserver_storage_objects). Looked
/// up at each scrape, so a deleted object is no longer there. Thread-safe.
class ObjectCollector final : public prometheus::Collectable {
 public:
  /// The registry and the store outlive this object.
  ObjectCollector(const Registry& registry, const Store& store, std::string version)
      : registry_(registry), store_(store), version_(std::move(version)) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  /// What was read from one version of a VMI: objects that did not change since the last scrape are not read again.
  struct Known {
    std::uint64_t version = 0;
    prometheus::Labels labels;
  };
  void add_vmis(std::vector<prometheus::MetricFamily>& families) const;
  void add_components(std::vector<prometheus::MetricFamily>& families) const;
  void add_objects(std::vector<prometheus::MetricFamily>& families) const;

  const Registry& registry_;
  const Store& store_;
  const std::string version_;
  mutable std::mutex mutex_;
  mutable std::map<Key, Known> known_;
};

}  // namespace usbloop::apiserver
