#include "kube-sim/controllers/node_lifecycle.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/kube/conditions.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/lease.h"
#include "kube-sim/resources/node.h"
#include "kube-sim/resources/pod.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kUnreachable = "node.kubernetes.io/unreachable";

const User& node_controller_user() {
  static const User kUser{"system:serviceaccount:kube-system:node-controller", "", {"system:masters"}};
  return kUser;
}

std::int64_t time_at(const json& object, const char* pointer) {
  return parse_time(text_at(object, pointer)).value_or(0);
}

void set_taints(json& node, bool unreachable, const std::string& now) {
  json taints = json::array();
  if (const json* known = element_at(node, "/spec/taints"); known != nullptr && known->is_array()) taints = *known;
  std::erase_if(taints.get_ref<json::array_t&>(),
                [](const json& taint) { return text_at(taint, "/key") == kUnreachable; });
  if (unreachable) {
    for (const char* effect : {"NoSchedule", "NoExecute"}) {
      taints.push_back({{"key", kUnreachable}, {"effect", effect}, {"timeAdded", now}});
    }
  }
  if (taints.empty()) {
    if (node.contains("spec")) node["spec"].erase("taints");
  } else {
    node["spec"]["taints"] = std::move(taints);
  }
}

bool is_tainted(const json& node) {
  const json* taints = element_at(node, "/spec/taints");
  return taints != nullptr && std::any_of(taints->begin(), taints->end(),
                                          [](const json& taint) { return text_at(taint, "/key") == kUnreachable; });
}

/// In the words of the node controller about a kubelet that has fallen silent.
json silenced(const json& node, const std::string& now) {
  json marked = node;
  json& conditions = marked["status"]["conditions"];
  if (!conditions.is_array()) conditions = json::array();
  for (json& condition : conditions) {
    if (!condition.is_object() || text_at(condition, "/status") == "Unknown") continue;
    condition["status"] = "Unknown";
    condition["reason"] = "NodeStatusUnknown";
    condition["message"] = "Kubelet stopped posting node status.";
    condition["lastTransitionTime"] = now;
  }
  set_taints(marked, true, now);
  return marked;
}

}  // namespace

NodeLifecycle::NodeLifecycle(const Registry& registry, Store& store, WatchHub& hub, NodeTimes times)
    : registry_(registry),
      store_(store),
      times_(times),
      writer_(store),
      recorder_(registry, store, "node-controller"),
      loop_("node lifecycle", store, hub,
            {.resources = {kLeaseResource, kNodeResource, kPodResource},
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget =
                 [this] {
                   leases_.clear();
                   pods_.clear();
                 }}) {}

void NodeLifecycle::observe(const Event& event) {
  const Object& object = *event.object;
  const Key node{kNodeResource, "", object.key.name};
  if (object.key.resource == kPodResource) return observe_pod(event);
  if (object.key.resource == kNodeResource) return loop_.add(node);
  if (object.key.namespace_ != kNodeLeaseNamespace) return;
  if (event.type == EventType::deleted) {
    leases_.erase(object.key.name);
    return;
  }
  // The look at the node that is already planned finds the new time.
  leases_[object.key.name] = time_at(object.parse(), "/spec/renewTime");
}

void NodeLifecycle::observe_pod(const Event& event) {
  const Object& pod = *event.object;
  const auto node = pod.fields.find("spec.nodeName");
  if (node == pod.fields.end() || node->second.empty()) return;
  const auto phase = pod.fields.find("status.phase");
  const bool over = phase != pod.fields.end() && (phase->second == "Succeeded" || phase->second == "Failed");
  if (event.type == EventType::deleted) {
    auto& pods = pods_[node->second];
    pods.erase(pod.key);
    if (pods.empty()) pods_.erase(node->second);
    return;
  }
  const bool is_new = pods_[node->second].insert(pod.key).second;
  const Key node_key{kNodeResource, "", node->second};
  if (is_new && !over && !store_.get(node_key)) loop_.add(node_key);
}

Next NodeLifecycle::reconcile(const Key& key) {
  const ObjectPtr object = store_.get(key);
  if (!object) return gone(key);
  gone_since_.erase(key.name);
  return check_node(key, object->parse());
}

std::int64_t NodeLifecycle::last_beat(const std::string& name, const json& node) const {
  const auto lease = leases_.find(name);
  std::int64_t beat = lease == leases_.end() ? 0 : lease->second;
  if (const json* ready = kube::find_condition(node, "Ready")) {
    beat = std::max(beat, time_at(*ready, "/lastHeartbeatTime"));
  }
  return beat;
}

Next NodeLifecycle::check_node(const Key& key, const json& node) {
  // A node that has never said anything about itself has not come up yet.
  if (kube::find_condition(node, "Ready") == nullptr) return Next::done();
  const std::int64_t now = now_seconds();
  const std::int64_t left = last_beat(key.name, node) + times_.grace.count() - now;
  if (left <= 0) return silent(key, node, now);
  Next next = alive(key, node);
  if (!next.failed) next.again = seconds(left);
  return next;
}

Next NodeLifecycle::alive(const Key& key, const json& node) {
  if (condition_status(node, "Ready") != "True" || !is_tainted(node)) return Next::done();
  const auto outcome = writer_.update(*registry_.find_qualified(kNodeResource), key, node_controller_user(),
                                      {.whole = true}, [](const json& current) -> json {
                                        json cleared = current;
                                        set_taints(cleared, false, {});
                                        return cleared;
                                      });
  return outcome ? Next::done() : Next::failure(outcome.error());
}

Next NodeLifecycle::silent(const Key& key, const json& node, std::int64_t now) {
  const json* ready = kube::find_condition(node, "Ready");
  const Resource* resource = registry_.find_qualified(kNodeResource);
  if (text_at(*ready, "/status") != "Unknown") {
    spdlog::warn("node {}: no heartbeat for {} s", key.name, times_.grace.count());
    const auto edit = [&](const json& current) -> json {
      if (last_beat(key.name, current) + times_.grace.count() > now) return current;
      return silenced(current, format_time(now));
    };
    const auto outcome = writer_.update(*resource, key, node_controller_user(), {.whole = true}, edit);
    if (!outcome) return Next::failure(outcome.error());
    recorder_.normal(node, "NodeNotReady", "Node " + key.name + " status is now: NodeNotReady");
    mark_pods(key.name);
    return Next::after(seconds(1));
  }
  mark_pods(key.name);
  const std::int64_t left = time_at(*ready, "/lastTransitionTime") + times_.eviction.count() - now;
  if (left <= 0) remove_pods(key.name, std::nullopt);
  return Next::after(std::clamp(seconds(left), seconds(1), seconds(60)));
}

Next NodeLifecycle::gone(const Key& key) {
  if (!pods_.contains(key.name)) {
    gone_since_.erase(key.name);
    return Next::done();
  }
  // Its kubelet may be there and make the Node again.
  const std::int64_t since = gone_since_.try_emplace(key.name, now_seconds()).first->second;
  const std::int64_t left = since + times_.grace.count() - now_seconds();
  if (left > 0) return Next::after(seconds(left));
  remove_pods(key.name, 0);
  return Next::after(times_.grace);
}

void NodeLifecycle::mark_pods(const std::string& node) {
  const auto found = pods_.find(node);
  if (found == pods_.end()) return;
  const std::string now = format_time(now_seconds());
  for (const Key& key : found->second) {
    const ObjectPtr pod = store_.get(key);
    if (!pod || !has_condition(pod->parse(), "Ready")) continue;
    const auto outcome = writer_.update(*registry_.find_qualified(kPodResource), key, node_controller_user(),
                                        {.status_only = true}, [&](const json& current) -> json {
                                          json marked = current;
                                          kube::set_condition(marked, {"Ready", "False"}, now);
                                          return marked;
                                        });
    if (!outcome) spdlog::error("pod {}/{}: {}", key.namespace_, key.name, outcome.error().message);
  }
}

void NodeLifecycle::remove_pods(const std::string& node, std::optional<std::int64_t> grace) {
  const auto found = pods_.find(node);
  if (found == pods_.end()) return;
  for (const Key& key : found->second) {
    const ObjectPtr pod = store_.get(key);
    if (!pod || (!grace && is_being_deleted(pod->parse()))) continue;
    DeleteOptions options;
    options.uid = pod->uid;
    options.grace_period_seconds = grace;
    const auto deletion = writer_.remove(*registry_.find_qualified(kPodResource), key, options);
    if (deletion) {
      spdlog::info("node {} is away: pod {}/{} is deleted", node, key.namespace_, key.name);
    } else if (deletion.error().code != 404) {
      spdlog::error("pod {}/{}: {}", key.namespace_, key.name, deletion.error().message);
    }
  }
}

}  // namespace usbloop::apiserver
