#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kLeaseResource = "leases.coordination.k8s.io";
/// Where the nodes' leases are: each bears the name of its node.
inline constexpr const char* kNodeLeaseNamespace = "kube-node-lease";

/// coordination.k8s.io/v1 Lease: a node's heartbeat.
class LeaseResource final : public Resource {
 public:
  LeaseResource();
  [[nodiscard]] const std::vector<Column>& columns() const override;
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

}  // namespace usbloop::apiserver
