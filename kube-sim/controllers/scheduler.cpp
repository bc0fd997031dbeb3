#include "kube-sim/controllers/scheduler.h"

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/kube/conditions.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/node.h"
#include "kube-sim/resources/pod.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// kubelet's own default.
constexpr std::size_t kDefaultPods = 110;

const User& scheduler_user() {
  static const User kUser{"system:kube-scheduler", "", {"system:authenticated"}};
  return kUser;
}

std::map<std::string, std::string> string_map(const json* object) {
  std::map<std::string, std::string> map;
  if (object == nullptr || !object->is_object()) return map;
  for (const auto& [name, value] : object->items()) {
    if (value.is_string()) map[name] = value.get<std::string>();
  }
  return map;
}

std::string field_of(const Object& object, const char* name) {
  const auto found = object.fields.find(name);
  return found == object.fields.end() ? std::string() : found->second;
}

bool has_ended(const Object& pod) {
  const std::string phase = field_of(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

}  // namespace

NodeView view_node(const json& node) {
  NodeView view;
  const json* unschedulable = element_at(node, "/spec/unschedulable");
  const bool cordoned = unschedulable != nullptr && *unschedulable == true;
  view.ready = condition_status(node, "Ready") == "True" && !cordoned && !is_being_deleted(node);
  view.labels = string_map(element_at(node, "/metadata/labels"));
  view.room = kDefaultPods;
  const std::string pods = text_at(node, "/status/allocatable/pods");
  std::from_chars(pods.data(), pods.data() + pods.size(), view.room);
  return view;
}

bool selects(const std::map<std::string, std::string>& selector, const NodeView& node) {
  for (const auto& [name, value] : selector) {
    const auto found = node.labels.find(name);
    if (found == node.labels.end() || found->second != value) return false;
  }
  return true;
}

Scheduler::Scheduler(const Registry& registry, Store& store, WatchHub& hub, Runnable runnable)
    : registry_(registry),
      store_(store),
      runnable_(std::move(runnable)),
      writer_(store),
      recorder_(registry, store, "default-scheduler"),
      loop_("scheduler", store, hub,
            {.resources = {kNodeResource, kPodResource},
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget =
                 [this] {
                   nodes_.clear();
                   placed_.clear();
                   load_.clear();
                   waiting_.clear();
                 }}) {}

void Scheduler::observe(const Event& event) {
  if (event.object->key.resource == kNodeResource) {
    observe_node(event);
  } else {
    observe_pod(event);
  }
}

void Scheduler::observe_node(const Event& event) {
  const std::string& name = event.object->key.name;
  if (event.type == EventType::deleted) {
    nodes_.erase(name);
    return;
  }
  // Heartbeats come all the time; only changes that placement depends on count.
  NodeView view = view_node(event.object->parse());
  const auto known = nodes_.find(name);
  if (known != nodes_.end() && known->second == view) return;
  nodes_[name] = std::move(view);
  retry_waiting();
}

void Scheduler::observe_pod(const Event& event) {
  const Object& pod = *event.object;
  const std::string node = field_of(pod, "spec.nodeName");
  if (event.type == EventType::deleted || has_ended(pod)) {
    waiting_.erase(pod.key);
    take_off(pod.key);
  } else if (!node.empty()) {
    waiting_.erase(pod.key);
    if (!placed_.contains(pod.key) && !is_foreign(pod.parse())) place_on(node, pod.key);
  } else if (!waiting_.contains(pod.key)) {
    loop_.add(pod.key);
  }
}

void Scheduler::place_on(const std::string& node, const Key& pod) {
  if (placed_.emplace(pod, node).second) ++load_[node];
}

void Scheduler::take_off(const Key& pod) {
  const auto found = placed_.find(pod);
  if (found == placed_.end()) return;
  const auto load = load_.find(found->second);
  const auto node = nodes_.find(found->second);
  const bool was_full = node != nodes_.end() && load->second >= node->second.room;
  if (--load->second == 0) load_.erase(load);
  placed_.erase(found);
  if (was_full) retry_waiting();
}

void Scheduler::retry_waiting() {
  for (const auto& [key, waiting] : waiting_) loop_.add(key);
}

std::size_t Scheduler::load_of(const std::string& node) const {
  const auto found = load_.find(node);
  return found == load_.end() ? 0 : found->second;
}

std::string Scheduler::choose_node(const std::map<std::string, std::string>& selector) const {
  std::string best;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const auto& [name, node] : nodes_) {
    const std::size_t load = load_of(name);
    if (!node.ready || load >= node.room || load >= least || !selects(selector, node)) continue;
    best = name;
    least = load;
  }
  return best;
}

std::string Scheduler::why_none(const std::map<std::string, std::string>& selector) const {
  if (nodes_.empty()) return "no nodes available to schedule pods";
  std::size_t unready = 0;
  std::size_t unfit = 0;
  std::size_t full = 0;
  for (const auto& [name, node] : nodes_) {
    ++(!node.ready ? unready : !selects(selector, node) ? unfit : full);
  }
  std::string why = "0/" + std::to_string(nodes_.size()) + " nodes are available:";
  const auto add = [&](std::size_t count, const char* text) {
    if (count > 0) why += (why.back() == ':' ? " " : ", ") + std::to_string(count) + text;
  };
  add(full, " Too many pods");
  add(unfit, " node(s) didn't match Pod's node affinity/selector");
  add(unready, " node(s) were unschedulable");
  return why + ".";
}

std::string Scheduler::why_foreign() const {
  if (nodes_.empty()) return "no nodes available to schedule pods";
  const std::string count = std::to_string(nodes_.size());
  return "0/" + count + " nodes are available: " + count + " " + runnable_.why_not + ".";
}

bool Scheduler::is_foreign(const json& pod) const { return runnable_.runs && !runnable_.runs(pod); }

Next Scheduler::reconcile(const Key& key) {
  const ObjectPtr object = store_.get(key);
  if (!object || !field_of(*object, "spec.nodeName").empty() || has_ended(*object)) {
    waiting_.erase(key);
    return Next::done();
  }
  auto known = waiting_.find(key);
  if (known == waiting_.end()) {
    const json pod = object->parse();
    if (is_being_deleted(pod)) return Next::done();
    known = waiting_.emplace(key, Waiting{string_map(element_at(pod, "/spec/nodeSelector")), is_foreign(pod)}).first;
  }
  if (known->second.is_foreign) return refuse(key, why_foreign());
  const auto& selector = known->second.selector;
  const std::string node = choose_node(selector);
  return node.empty() ? refuse(key, why_none(selector)) : bind(key, node);
}

Next Scheduler::bind(const Key& key, const std::string& node) {
  const std::string now = format_time(now_seconds());
  const auto edit = [&](const json& current) -> json {
    json bound = current;
    if (!text_at(current, "/spec/nodeName").empty() || is_being_deleted(current)) return bound;
    bound["spec"]["nodeName"] = node;
    kube::set_condition(bound, {"PodScheduled", "True"}, now);
    return bound;
  };
  const Resource* resource = registry_.find_qualified(kPodResource);
  const auto outcome = writer_.update(*resource, key, scheduler_user(), {.whole = true}, edit);
  if (!outcome) return Next::failure(outcome.error());
  waiting_.erase(key);
  const std::string chosen = field_of(**outcome, "spec.nodeName");
  if (chosen.empty()) return Next::done();
  place_on(chosen, key);
  spdlog::info("scheduler: pod {}/{} goes to node {}", key.namespace_, key.name, chosen);
  recorder_.normal((*outcome)->parse(), "Scheduled",
                   "Successfully assigned " + key.namespace_ + "/" + key.name + " to " + chosen);
  return Next::done();
}

Next Scheduler::refuse(const Key& key, const std::string& why) {
  const std::string now = format_time(now_seconds());
  bool changed = false;
  const auto edit = [&](const json& current) -> json {
    json refused = current;
    if (is_being_deleted(current)) return refused;
    kube::set_condition(refused, {"PodScheduled", "False", "Unschedulable", why}, now);
    changed = refused != current;
    return refused;
  };
  const Resource* resource = registry_.find_qualified(kPodResource);
  const auto outcome = writer_.update(*resource, key, scheduler_user(), {.status_only = true}, edit);
  if (!outcome) return Next::failure(outcome.error());
  if (changed) recorder_.warning((*outcome)->parse(), "FailedScheduling", why);
  return Next::done();
}

}  // namespace usbloop::apiserver
