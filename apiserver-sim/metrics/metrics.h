#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/net/traffic.h"
#include "kube-sim/http/services.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Everything that /metrics shows: kube-apiserver's names for requests, KubeVirt's for VMIs and connections (wire.md
/// section 14), names with usbloop_ for what neither has, and the process. Thread-safe.
class Metrics {
 public:
  /// All outlive this object.
  Metrics(const Registry& registry, const Store& store, WatchHub& hub, const std::string& version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// To be told of each request.
  [[nodiscard]] std::vector<RequestObserver*> observers();
  /// Shows the front door's numbers and the streams' bytes as well. Call before page().
  void attach(const Services& services, const net::Traffic& traffic);

  /// The page in Prometheus' text format.
  [[nodiscard]] std::string page() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usbloop::apiserver
