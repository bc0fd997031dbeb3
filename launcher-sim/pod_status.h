#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "launcher-sim/decision.h"

namespace usbloop::launcher {

/// What this node's kubelet writes into pods, as pure functions. Patches are merge patches of the status subresource;
/// they name the pod's uid, so that they never hit a younger pod of the same name. `now` is RFC 3339.

PodView pod_view(const nlohmann::json& pod);

/// A virt-handler pod, in KubeVirt's own namespace.
bool is_handler_pod(const nlohmann::json& pod);
/// uid of the VMI that owns a launcher pod; empty for every other pod, whatever its labels say.
std::string vmi_uid_of(const nlohmann::json& pod);

/// The pod's containers run and are ready.
nlohmann::json pod_running(const nlohmann::json& pod, const std::string& address, const std::string& now);
/// The pod's containers have ended.
nlohmann::json pod_ended(const nlohmann::json& pod, bool well, const std::string& now);

/// The pod is none of KubeVirt's and cannot run here, as a kubelet rejects a pod.
nlohmann::json pod_rejected(const nlohmann::json& pod, const std::string& now);
inline constexpr const char* kRejected = "NoContainerRuntime";
inline constexpr const char* kRejectedMessage = "the node runs guests of KubeVirt only and has no container runtime";

/// The virt-handler pod of a node, to be created.
nlohmann::json handler_pod(const std::string& node);

/// Path of the pod in the API.
std::string pod_path(const nlohmann::json& pod);

}  // namespace usbloop::launcher
