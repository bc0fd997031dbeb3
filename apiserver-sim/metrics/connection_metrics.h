#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "kube-sim/observe/request_observer.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// virt-api's metrics of who is connected to which VMI (wire.md section 14): kubevirt_usbredir_active_connections and
/// its like, kubevirt_vmi_last_api_connection_timestamp_seconds; and kubevirt_vm_created_by_pod_total. A request
/// counts from its head on, refused ones too, as there. The series of a VMI or namespace go with it. Thread-safe.
class ConnectionMetrics final : public RequestObserver, public prometheus::Collectable {
 public:
  explicit ConnectionMetrics(const Store& store) : store_(store) {}

  void began(const RequestEvent& event) override;
  void started(const RequestEvent&) override {}
  void sent(const RequestEvent&, std::size_t) override {}
  void ended(const RequestEvent& event) override;
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  struct Vmi {
    std::string namespace_;
    std::string name;
    auto operator<=>(const Vmi&) const = default;
  };
  void forget_deleted() const;
  [[nodiscard]] bool is_gone(const Vmi& vmi) const;

  const Store& store_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::map<Vmi, int>> active_;  ///< by subresource
  mutable std::map<Vmi, double> last_end_;                    ///< seconds since 1970
  mutable std::map<std::string, std::uint64_t> created_vms_;  ///< by namespace
};

}  // namespace usbloop::apiserver
