#include "kube-sim/resources/disruption.h"

#include <algorithm>
#include <charconv>

#include "kube-sim/resources/pod.h"
#include "kube-sim/resources/workload.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// A number, or a percentage of `whole` rounded up.
std::int64_t share_of(const json& value, std::int64_t whole) {
  constexpr std::int64_t kMost = 1'000'000;
  if (value.is_number_integer()) return std::clamp<std::int64_t>(int64_of(value, 0), 0, kMost);
  if (!value.is_string()) return 0;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (std::clamp<std::int64_t>(percent, 0, 100) * whole + 99) / 100;
}

}  // namespace

bool budget_covers(const json& budget, const json& pod) {
  const json* selector = element_at(budget, "/spec/selector");
  if (selector == nullptr || !selector->is_object() || is_over(pod)) return false;
  const json* labels = element_at(pod, "/metadata/labels");
  return selector_fits(*selector, labels == nullptr ? json::object() : *labels);
}

Disruption disruption_of(const json& budget, const std::vector<ObjectPtr>& pods) {
  Disruption found;
  for (const ObjectPtr& object : pods) {
    const json pod = object->parse();
    if (!budget_covers(budget, pod)) continue;
    ++found.expected;
    const bool going = !text_at(pod, "/metadata/deletionTimestamp").empty();
    if (!going && has_condition(pod, "Ready")) ++found.healthy;
  }
  const json* least = element_at(budget, "/spec/minAvailable");
  const json* missing = element_at(budget, "/spec/maxUnavailable");
  if (missing != nullptr && !missing->is_null()) {
    found.desired = std::max<std::int64_t>(found.expected - share_of(*missing, found.expected), 0);
  } else {
    found.desired = least == nullptr ? 1 : share_of(*least, found.expected);
  }
  return found;
}

}  // namespace usbloop::apiserver
