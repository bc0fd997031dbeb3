#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace usbloop::apiserver {

/// uid of the VMI whose guest runs in the pod; empty for every other pod. The pod's owner decides, as everyone may
/// change labels.
std::string vmi_uid_of(const nlohmann::json& pod);

/// Whether a node of the loop can run the pod: a guest's, or virt-handler's. There is no container runtime.
bool is_kubevirt_pod(const nlohmann::json& pod);

}  // namespace usbloop::apiserver
