#pragma once

namespace usbloop::apiserver {

inline constexpr const char* kLeaseResource = "leases.coordination.k8s.io";
/// Where the nodes' leases are, their heartbeats: each bears the name of its node.
inline constexpr const char* kNodeLeaseNamespace = "kube-node-lease";

}  // namespace usbloop::apiserver
