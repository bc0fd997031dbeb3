#include "kube-sim/controllers/disruption_controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/kube/conditions.h"
#include "common/timestamp.h"
#include "kube-sim/resources/disruption.h"
#include "kube-sim/resources/pod.h"
#include "kube-sim/schema/field_path.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const User& disruption_user() {
  static const User kUser{"system:serviceaccount:kube-system:disruption-controller", "", {"system:masters"}};
  return kUser;
}

/// Evicted pods that are still there and have not begun to end, as long as that may take.
json still_disrupted(const json& budget, const std::vector<json>& pods, std::int64_t now) {
  const json* noted = element_at(budget, "/status/disruptedPods");
  json left = json::object();
  if (noted == nullptr || !noted->is_object()) return left;
  for (const json& pod : pods) {
    const auto entry = noted->find(text_at(pod, "/metadata/name"));
    if (entry == noted->end() || !entry->is_string() || !text_at(pod, "/metadata/deletionTimestamp").empty()) continue;
    if (parse_time(entry->get<std::string>()).value_or(0) + kDisruptedSeconds > now) left[entry.key()] = *entry;
  }
  return left;
}

/// When the first of the noted evictions is over.
Next when_over(const json& status, std::int64_t now) {
  const auto noted = status.find("disruptedPods");
  if (noted == status.end() || noted->empty()) return Next::done();
  std::int64_t first = now + kDisruptedSeconds;
  for (const json& time : *noted) first = std::min(first, parse_time(time.get<std::string>()).value_or(now));
  return Next::after(std::chrono::seconds(std::max<std::int64_t>(first + kDisruptedSeconds - now, 1)));
}

std::int64_t generation_of_budget(const json& budget) {
  return int64_of(budget.value("/metadata/generation"_json_pointer, json()), 0);
}

void note_allowed_disruptions(json& budget, const std::string& now) {
  const bool allowed = int64_of(budget["status"].value("disruptionsAllowed", json()), 0) > 0;
  kube::set_condition(budget,
                      {"DisruptionAllowed", allowed ? "True" : "False", allowed ? "SufficientPods" : "InsufficientPods",
                       "", kube::ConditionForm::common, generation_of_budget(budget)},
                      now);
}

/// What cannot be counted allows nothing.
void fail_safe(json& object, const std::string& why, const std::string& now) {
  object["status"]["disruptionsAllowed"] = 0;
  const std::int64_t seen = int64_of(object["status"].value("observedGeneration", json()), 0);
  kube::set_condition(object, {"DisruptionAllowed", "False", "SyncFailed", why, kube::ConditionForm::common, seen},
                      now);
}

}  // namespace

DisruptionController::DisruptionController(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      writer_(store),
      loop_("disruption", store, hub,
            {.resources = {kDisruptionBudgetResource, kPodResource},
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [this] { budgets_.clear(); }}) {}

void DisruptionController::observe(const Event& event) {
  const Key& key = event.object->key;
  if (key.resource == kPodResource) {
    const auto budgets = budgets_.find(key.namespace_);
    if (budgets == budgets_.end()) return;
    for (const Key& budget : budgets->second) loop_.add(budget);
  } else if (event.type == EventType::deleted) {
    std::set<Key>& known = budgets_[key.namespace_];
    known.erase(key);
    if (known.empty()) budgets_.erase(key.namespace_);
  } else {
    budgets_[key.namespace_].insert(key);
    loop_.add(key);
  }
}

tl::expected<std::int64_t, std::string> DisruptionController::scale_of(const std::string& namespace_,
                                                                       const json& owner) const {
  const std::string name = text_at(owner, "/kind") + " \"" + text_at(owner, "/name") + "\"";
  for (const ResourcePtr& kind : registry_.all()) {
    const ResourceInfo& info = kind->info();
    if (info.kind != text_at(owner, "/kind") || kind->api_version(info.version) != text_at(owner, "/apiVersion"))
      continue;
    if (!info.scale) break;
    const ObjectPtr object = store_.get({kind->qualified(), namespace_, text_at(owner, "/name")});
    if (!object || object->uid != text_at(owner, "/uid")) return tl::unexpected("there is no " + name);
    const json tree = object->parse();
    const auto path = FieldPath::parse(info.scale->replicas);
    const json* replicas = path ? path->first(tree) : nullptr;
    return replicas == nullptr ? 0 : int64_of(*replicas, 0);
  }
  return tl::unexpected(name + " has no scale");
}

json DisruptionController::status_of(const json& budget, std::int64_t now) const {
  const std::string ns = text_at(budget, "/metadata/namespace");
  std::vector<json> pods;
  for (const ObjectPtr& object : store_.list(kPodResource, ns).objects) {
    json pod = object->parse();
    if (budget_covers(budget, pod)) pods.push_back(std::move(pod));
  }
  const json disrupted = still_disrupted(budget, pods, now);
  const auto found = disruption_of(budget, pods, disrupted, [&](const json& owner) { return scale_of(ns, owner); });
  const std::string time = format_time(now);
  json told = budget;
  if (!found) {
    fail_safe(told, found.error(), time);
    return told["status"];
  }
  json& status = told["status"];
  status["currentHealthy"] = found->healthy;
  status["desiredHealthy"] = found->desired;
  status["disruptionsAllowed"] = found->allowed();
  status["expectedPods"] = found->expected;
  status["observedGeneration"] = generation_of_budget(budget);
  status["disruptedPods"] = disrupted;
  if (disrupted.empty()) status.erase("disruptedPods");
  note_allowed_disruptions(told, time);
  return status;
}

Next DisruptionController::reconcile(const Key& key) {
  const std::int64_t now = now_seconds();
  json status;
  const auto tell = [&](const json& current) -> json {
    json told = current;
    told["status"] = status = status_of(current, now);
    return told;
  };
  const auto outcome = writer_.update(*registry_.find_qualified(kDisruptionBudgetResource), key, disruption_user(),
                                      {.status_only = true}, tell);
  return outcome ? when_over(status, now) : Next::failure(outcome.error());
}

}  // namespace usbloop::apiserver
