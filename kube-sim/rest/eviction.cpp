#include "kube-sim/objects/codec.h"
#include "kube-sim/resources/disruption.h"
#include "kube-sim/resources/pod.h"
#include "kube-sim/rest/rest_handler.h"

// The subresource eviction of pods: policy/v1 Eviction, a deletion that PodDisruptionBudgets may refuse.
namespace usbloop::apiserver {
namespace {

using nlohmann::json;

kube::Status success() {
  kube::Status status;
  status.success = true;
  status.code = 201;
  return status;
}

kube::Status too_many_evictions(const std::string& budget, const Disruption& found) {
  kube::Status status = kube::too_many_requests(0);
  status.message = "Cannot evict pod as it would violate the pod's disruption budget.";
  status.causes.push_back({"DisruptionBudget",
                           "The disruption budget " + budget + " needs " + std::to_string(found.desired) +
                               " healthy pods and has " + std::to_string(found.healthy) + " currently",
                           ""});
  return status;
}

/// A pod that has not begun or is over disturbs nobody.
bool needs_no_budget(const json& pod) { return is_over(pod) || text_at(pod, "/status/phase") == "Pending"; }

DeleteOptions delete_options_of(const json& eviction) {
  DeleteOptions options;
  const json* wish = element_at(eviction, "/deleteOptions/gracePeriodSeconds");
  if (wish != nullptr && wish->is_number_integer()) options.grace_period_seconds = int64_of(*wish, 0);
  options.uid = text_at(eviction, "/deleteOptions/preconditions/uid");
  options.resource_version = text_at(eviction, "/deleteOptions/preconditions/resourceVersion");
  options.propagation_policy = text_at(eviction, "/deleteOptions/propagationPolicy");
  return options;
}

}  // namespace

Response RestHandler::evict(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_write_options(request, "CreateOptions");
  if (!options) return answer_status(options.error());
  const auto eviction = decode_object(request.content_type, request.body);
  if (!eviction) return answer_status(eviction.error());
  const std::string name = text_at(*eviction, "/metadata/name");
  if (!name.empty() && name != info.name)
    return answer_status(kube::bad_request("name in URL does not match name in Eviction object"));
  const Key key = key_of(view, info);
  const ObjectPtr found = store_.get(key);
  if (!found) return answer_status(kube::not_found("", "pods", info.name));
  const json pod = found->parse();
  // Evictions one after the other: two at once could both find room for one.
  const std::scoped_lock lock(eviction_mutex_);
  if (!needs_no_budget(pod)) {
    std::vector<json> budgets;
    for (const ObjectPtr& object : store_.list(kDisruptionBudgetResource, info.namespace_).objects) {
      json budget = object->parse();
      if (budget_covers(budget, pod)) budgets.push_back(std::move(budget));
    }
    if (budgets.size() > 1) {
      return answer_status(kube::internal_error(
          "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."));
    }
    const bool ready = has_condition(pod, "Ready");
    if (!budgets.empty()) {
      const Disruption disruption = disruption_of(budgets.front(), store_.list(kPodResource, info.namespace_).objects);
      // A pod that is not ready takes nothing from those that are, if they are enough.
      const bool free = !ready && (disruption.healthy >= disruption.desired ||
                                   text_at(budgets.front(), "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow");
      if (!free && disruption.allowed() == 0) {
        return answer_status(too_many_evictions(text_at(budgets.front(), "/metadata/name"), disruption));
      }
    }
  }
  DeleteOptions deletion_options = delete_options_of(*eviction);
  deletion_options.dry_run = options->dry_run;
  const auto deletion = writer_.remove(view.resource, key, deletion_options);
  return answer_status(deletion ? success() : deletion.error());
}

}  // namespace usbloop::apiserver
