#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace usbloop::apiserver {

/// The part of a VMI's life that virt-controller decides, as pure functions. The rest belongs to the node. wire.md
/// section 14. Phases: Pending -> Scheduling (there is a launcher pod) -> Scheduled (the pod is ready on a node); from
/// there on the node takes over. A pod that vanishes makes its VMI Failed.

/// Whether a launcher pod is to be created: the VMI is new, not being deleted, and never had one.
bool wants_pod(const nlohmann::json& vmi);

/// The VMI as it should be now. `pod`: its launcher pod, or null. `now`: RFC 3339. A VMI that is past Scheduling but
/// never had a pod is left alone: a client has taken the node's part.
nlohmann::json advance_vmi(const nlohmann::json& vmi, const nlohmann::json* pod, const std::string& now);

/// Enters a phase, with its time.
void enter_phase(nlohmann::json& vmi, const std::string& phase, const std::string& now);

/// Succeeded or Failed.
bool is_final(const nlohmann::json& vmi);

}  // namespace usbloop::apiserver
