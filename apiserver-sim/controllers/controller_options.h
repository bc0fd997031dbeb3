#pragma once

#include <chrono>

namespace usbloop::apiserver {

struct NodeTimes {
  std::chrono::seconds grace{40};      ///< a node that has said nothing for so long is not ready
  std::chrono::seconds eviction{300};  ///< after that time in silence its pods are deleted
  std::chrono::seconds handler{300};   ///< without a word of virt-handler for so long no VMI is placed there
};

/// The times that the controllers go by; those of Kubernetes and KubeVirt unless told otherwise.
struct ControllerOptions {
  bool run = true;  ///< false: the API alone, as a kube-apiserver without its controllers
  NodeTimes node;
  std::chrono::seconds event_ttl{3600};
};

}  // namespace usbloop::apiserver
