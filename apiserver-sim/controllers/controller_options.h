#pragma once

#include <chrono>
#include <string>

#include "kube-sim/controllers/node_lifecycle.h"

namespace usbloop::apiserver {

/// The times that the controllers go by; those of Kubernetes and KubeVirt unless told otherwise.
struct ControllerOptions {
  bool run = true;           ///< false: the API alone, as a kube-apiserver without its controllers
  std::string root_ca = {};  ///< the certificate of the server's CA, PEM: each namespace has it
  NodeTimes node;
  std::chrono::seconds handler{300};  ///< no VMI is placed on a node whose virt-handler was silent for so long
  std::chrono::seconds event_ttl{3600};
};

}  // namespace usbloop::apiserver
