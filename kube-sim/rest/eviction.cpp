#include "common/timestamp.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/objects/object_meta.h"
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

kube::Status not_now(int seconds, const std::string& why) {
  kube::Status status = kube::too_many_requests(seconds);
  status.message = "Cannot evict pod as it would violate the pod's disruption budget.";
  status.causes.push_back({"DisruptionBudget", why, ""});
  return status;
}

std::int64_t number_in(const json& budget, const char* pointer) {
  const json* number = element_at(budget, pointer);
  return number == nullptr ? 0 : int64_of(*number, 0);
}

/// A pod that has not begun, is over or is on its way out disturbs nobody.
bool needs_no_budget(const json& pod) {
  return is_over(pod) || is_being_deleted(pod) || text_at(pod, "/status/phase") == "Pending";
}

/// A pod that is not ready takes nothing from those that are, if they are enough.
bool is_free(const json& budget, const json& pod) {
  if (has_condition(pod, "Ready")) return false;
  const std::int64_t desired = number_in(budget, "/status/desiredHealthy");
  return (desired > 0 && number_in(budget, "/status/currentHealthy") >= desired) ||
         text_at(budget, "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow";
}

/// The budget with one disruption less, which the pod takes; or why it has none.
tl::expected<json, kube::Status> take_disruption(json budget, const std::string& pod) {
  const std::string name = text_at(budget, "/metadata/name");
  if (number_in(budget, "/status/observedGeneration") < number_in(budget, "/metadata/generation")) {
    constexpr int kSecondsToRetry = 10;
    return tl::unexpected(
        not_now(kSecondsToRetry, "The disruption budget " + name + " is still being processed by the server."));
  }
  const std::int64_t allowed = number_in(budget, "/status/disruptionsAllowed");
  if (allowed <= 0) {
    return tl::unexpected(not_now(
        0, "The disruption budget " + name + " needs " + std::to_string(number_in(budget, "/status/desiredHealthy")) +
               " healthy pods and has " + std::to_string(number_in(budget, "/status/currentHealthy")) + " currently"));
  }
  json& status = budget["status"];
  status["disruptionsAllowed"] = allowed - 1;
  if (!status["disruptedPods"].is_object()) status["disruptedPods"] = json::object();
  status["disruptedPods"][pod] = format_time(now_seconds());
  return budget;
}

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

std::optional<kube::Status> RestHandler::spend_budget(const json& pod, const std::string& namespace_, bool dry_run) {
  if (needs_no_budget(pod)) return std::nullopt;
  std::vector<Key> budgets;
  for (const ObjectPtr& object : store_.list(kDisruptionBudgetResource, namespace_).objects) {
    if (budget_covers(object->parse(), pod)) budgets.push_back(object->key);
  }
  if (budgets.empty()) return std::nullopt;
  if (budgets.size() > 1) {
    return kube::internal_error(
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
  }
  static const User kServer{"system:apiserver", "", {"system:masters"}};
  const auto spend = [&](const json& budget) -> tl::expected<json, kube::Status> {
    if (is_free(budget, pod)) return budget;
    return take_disruption(budget, text_at(pod, "/metadata/name"));
  };
  const auto spent =
      writer_.update(*registry_.find_qualified(kDisruptionBudgetResource), budgets.front(), kServer,
                     {.status_only = true, .dry_run = dry_run, .by = {.manager = "kube-apiserver"}}, spend);
  // A budget that went meanwhile forbids nothing.
  if (spent || spent.error().code == 404) return std::nullopt;
  return spent.error();
}

Response RestHandler::evict(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_write_options(request, "CreateOptions");
  if (!options) return answer_status(options.error());
  const auto eviction = decode_object(request.content_type, request.body, registry_.schemas());
  if (!eviction) return answer_status(eviction.error());
  const std::string name = text_at(*eviction, "/metadata/name");
  if (!name.empty() && name != info.name)
    return answer_status(kube::bad_request("name in URL does not match name in Eviction object"));
  const Key key = key_of(view, info);
  const ObjectPtr found = store_.get(key);
  if (!found) return answer_status(kube::not_found("", "pods", info.name));
  if (const auto refused = spend_budget(found->parse(), info.namespace_, options->dry_run)) {
    return answer_status(*refused);
  }
  DeleteOptions deletion_options = delete_options_of(*eviction);
  deletion_options.dry_run = options->dry_run;
  const auto deletion = writer_.remove(view.resource, key, deletion_options);
  return answer_status(deletion ? success() : deletion.error());
}

}  // namespace usbloop::apiserver
