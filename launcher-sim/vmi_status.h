#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "launcher-sim/decision.h"

namespace usbloop::launcher {

/// Everything a node writes into a VMI goes through these pure functions. wire.md section 14.

/// Phase and deletion, as decide() wants them.
VmiView view_of(const nlohmann::json& vmi);

/// status.nodeName, or empty.
std::string node_of(const nlohmann::json& vmi);

/// The merge patch that brings `vmi` into `phase` at `now` (RFC 3339). It carries the object's resourceVersion, so
/// that it fails with a conflict when the object has changed meanwhile. `cloned` adds the condition usbloop.dev/Cloned,
/// which stays until the guest has ended.
nlohmann::json phase_patch(const nlohmann::json& vmi, Phase phase, const std::string& reason, const std::string& node,
                           const std::string& now, bool cloned = false);

/// The merge patch that sets the condition Paused, or takes it away: it is there only while the guest is paused.
nlohmann::json pause_patch(const nlohmann::json& vmi, bool paused, const std::string& now);

/// An Event about the VMI.
nlohmann::json vmi_event(const nlohmann::json& vmi, const std::string& type, const std::string& reason,
                         const std::string& message, const std::string& node, const std::string& now);

/// Path of the VMI in the API.
std::string vmi_path(const nlohmann::json& vmi);

}  // namespace usbloop::launcher
