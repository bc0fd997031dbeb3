#include "kube-sim/resources/disruption.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "kube-sim/resources/pod.h"
#include "kube-sim/resources/selector_object.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// A number, or a percentage of `whole` rounded up.
std::int64_t share_of(const json& value, std::int64_t whole) {
  constexpr std::int64_t kMostPods = 1'000'000;
  if (value.is_number_integer()) return std::clamp<std::int64_t>(int64_of(value, 0), 0, kMostPods);
  if (!value.is_string()) return 0;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (std::clamp<std::int64_t>(percent, 0, 100) * whole + 99) / 100;
}

bool is_healthy(const json& pod, const json& disrupted) {
  return text_at(pod, "/metadata/deletionTimestamp").empty() && !disrupted.contains(text_at(pod, "/metadata/name")) &&
         has_condition(pod, "Ready");
}

const json* controller_of(const json& pod) {
  const json* owners = element_at(pod, "/metadata/ownerReferences");
  if (owners == nullptr || !owners->is_array()) return nullptr;
  for (const json& owner : *owners) {
    if (owner.value("controller", json()) == true) return &owner;
  }
  return nullptr;
}

/// What the controllers of the pods want together. Pods without one do not count.
tl::expected<std::int64_t, std::string> wanted_scale(const std::vector<json>& pods, const ScaleOf& scale_of) {
  std::int64_t sum = 0;
  std::set<std::string> seen;
  for (const json& pod : pods) {
    const json* owner = controller_of(pod);
    if (owner == nullptr || !seen.insert(text_at(*owner, "/uid")).second) continue;
    const auto scale = scale_of(*owner);
    if (!scale) {
      return tl::unexpected("found no controllers for pod \"" + text_at(pod, "/metadata/name") +
                            "\": " + scale.error());
    }
    sum += *scale;
  }
  return sum;
}

}  // namespace

bool budget_covers(const json& budget, const json& pod) {
  const json* selector = element_at(budget, "/spec/selector");
  if (selector == nullptr || !selector->is_object()) return false;
  const json* labels = element_at(pod, "/metadata/labels");
  return selector_fits(*selector, labels == nullptr ? json::object() : *labels);
}

tl::expected<Disruption, std::string> disruption_of(const json& budget, const std::vector<json>& pods,
                                                    const json& disrupted, const ScaleOf& scale_of) {
  Disruption found;
  for (const json& pod : pods) found.healthy += is_healthy(pod, disrupted) ? 1 : 0;
  found.expected = static_cast<std::int64_t>(pods.size());
  const json least = budget.value("/spec/minAvailable"_json_pointer, json());
  const json missing = budget.value("/spec/maxUnavailable"_json_pointer, json());
  if (missing.is_null() && !least.is_string()) {
    found.desired = least.is_null() ? 1 : share_of(least, found.expected);
    return found;
  }
  const auto scale = wanted_scale(pods, scale_of);
  if (!scale) return tl::unexpected(scale.error());
  found.expected = *scale;
  found.desired =
      missing.is_null() ? share_of(least, *scale) : std::max<std::int64_t>(*scale - share_of(missing, *scale), 0);
  return found;
}

}  // namespace usbloop::apiserver
