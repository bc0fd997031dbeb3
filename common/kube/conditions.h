#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace usbloop::kube {

/// What an entry of status.conditions has beside its type, status and lastTransitionTime.
enum class ConditionForm {
  probed,  ///< lastProbeTime; reason and message where there are some: pods, virtual machines
  plain,   ///< the same without lastProbeTime: definitions of kinds
  common   ///< Kubernetes' later form (metav1.Condition): observedGeneration, and always reason and message
};

/// One entry of status.conditions as a controller wants it.
struct Condition {
  std::string type;
  std::string status;  ///< "True", "False" or "Unknown"
  std::string reason = {};
  std::string message = {};
  ConditionForm form = ConditionForm::probed;
  std::int64_t observed_generation = 0;  ///< of the common form
};

/// Puts the condition into the object's status in place of the one of its type. One that says the same already is left
/// alone, times included; the transition time (`now`, RFC 3339) is that of the last change of its status.
void set_condition(nlohmann::json& object, const Condition& condition, const std::string& now);
void remove_condition(nlohmann::json& object, const std::string& type);
/// The condition of that type, or null.
const nlohmann::json* find_condition(const nlohmann::json& object, const std::string& type);

}  // namespace usbloop::kube
