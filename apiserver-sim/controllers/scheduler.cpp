#include "apiserver-sim/controllers/scheduler.h"

#include <algorithm>
#include <limits>

#include "apiserver-sim/api/object_meta.h"
#include "apiserver-sim/api/time.h"
#include "apiserver-sim/resources/node.h"
#include "apiserver-sim/resources/vmi.h"
#include "common/log.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kNodeLabel = "kubevirt.io/nodeName";
constexpr std::chrono::seconds kNodeCheckEvery{5};

const User& self() {
  static const User kUser{"system:kube-scheduler", "", {"system:nodes"}};
  return kUser;
}

const json* ready_condition(const json& node) {
  const json* conditions = element_at(node, "/status/conditions");
  if (conditions == nullptr || !conditions->is_array()) return nullptr;
  for (const json& condition : *conditions) {
    if (text_at(condition, "/type") == "Ready") return &condition;
  }
  return nullptr;
}

bool heartbeat_is_fresh(const json& condition, std::int64_t now) {
  const auto beat = parse_time(text_at(condition, "/lastHeartbeatTime"));
  return beat && now - *beat < kHeartbeatSeconds;
}

bool selector_matches(const json& vmi, const json& node) {
  const json* selector = element_at(vmi, "/spec/nodeSelector");
  if (selector == nullptr || !selector->is_object()) return true;
  const json labels = node["metadata"].value("labels", json::object());
  for (const auto& [name, value] : selector->items()) {
    if (!labels.contains(name) || labels[name] != value) return false;
  }
  return true;
}

bool is_over(const Object& vmi) {
  const auto phase = vmi.fields.find("status.phase");
  return phase != vmi.fields.end() && (phase->second == "Succeeded" || phase->second == "Failed");
}

std::string node_of(const Object& vmi) {
  const auto node = vmi.fields.find("status.nodeName");
  return node == vmi.fields.end() ? std::string() : node->second;
}

}  // namespace

bool node_fits(const json& node, const json& vmi, std::int64_t now) {
  const json* ready = ready_condition(node);
  if (ready == nullptr || text_at(*ready, "/status") != "True" || !heartbeat_is_fresh(*ready, now)) return false;
  const json* unschedulable = element_at(node, "/spec/unschedulable");
  if (unschedulable != nullptr && *unschedulable == true) return false;
  return !is_being_deleted(node) && selector_matches(vmi, node);
}

Scheduler::Scheduler(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      hub_(hub),
      writer_(store),
      vmi_events_(hub.subscribe(kVmiResource,
                                [this] {
                                  const std::scoped_lock lock(mutex_);
                                  dirty_ = true;
                                  changed_.notify_one();
                                })),
      node_events_(hub.subscribe(kNodeResource,
                                 [this] {
                                   const std::scoped_lock lock(mutex_);
                                   dirty_ = true;
                                   changed_.notify_one();
                                 })),
      thread_([this] { run(); }) {}

Scheduler::~Scheduler() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void Scheduler::run() {
  list_vmis();
  auto next_check = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_until(lock, next_check, [this] { return dirty_ || stopping_; });
    dirty_ = false;
    lock.unlock();
    try {
      read_vmis();
      place_pending();
      if (std::chrono::steady_clock::now() >= next_check) {
        mark_silent_nodes();
        next_check = std::chrono::steady_clock::now() + kNodeCheckEvery;
      }
    } catch (const std::exception& error) {
      spdlog::error("scheduler: {}", error.what());
    }
    lock.lock();
  }
}

void Scheduler::list_vmis() {
  pending_.clear();
  placed_.clear();
  const Store::Listing listing = store_.list(kVmiResource, "");
  cursor_ = listing.version;
  for (const ObjectPtr& vmi : listing.objects) note(*vmi, false);
}

void Scheduler::note(const Object& vmi, bool gone) {
  const std::string node = node_of(vmi);
  pending_.erase(vmi.key);
  placed_.erase(vmi.key);
  if (gone || is_over(vmi)) return;
  if (node.empty()) {
    pending_.insert(vmi.key);
  } else {
    placed_[vmi.key] = node;
  }
}

void Scheduler::read_vmis() {
  while (true) {
    const WatchHub::Batch batch = hub_.read(kVmiResource, cursor_, 256);
    if (batch.expired) return list_vmis();
    for (const Event& event : batch.events) note(*event.object, event.type == EventType::deleted);
    cursor_ = std::max(cursor_, batch.current);
    if (batch.events.empty()) return;
  }
}

void Scheduler::place_pending() {
  for (auto at = pending_.begin(); at != pending_.end();) {
    at = place(*at) ? pending_.erase(at) : std::next(at);
  }
}

std::string Scheduler::choose_node(const json& vmi) const {
  std::map<std::string, std::size_t> load;
  for (const auto& [key, node] : placed_) ++load[node];
  std::string best;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  const std::int64_t now = now_seconds();
  for (const ObjectPtr& node : store_.list(kNodeResource, "").objects) {
    if (!node_fits(node->parse(), vmi, now) || load[node->key.name] >= least) continue;
    best = node->key.name;
    least = load[best];
  }
  return best;
}

/// True when nothing more is to be done for this VMI.
bool Scheduler::place(const Key& key) {
  const ObjectPtr object = store_.get(key);
  if (!object) return true;
  const json vmi = object->parse();
  if (is_being_deleted(vmi)) return true;
  const std::string node = choose_node(vmi);
  if (node.empty()) return false;
  const Resource* resource = registry_.find_qualified(kVmiResource);
  const auto outcome = writer_.update(*resource, key, self(), {}, [&](const json& current) {
    json placed = current;
    if (!text_at(current, "/status/nodeName").empty() || is_being_deleted(current)) return placed;
    placed["status"]["nodeName"] = node;
    placed["metadata"]["labels"][kNodeLabel] = node;
    return placed;
  });
  if (!outcome) {
    if (outcome.error().code != 404) spdlog::error("scheduler: {}: {}", key.name, outcome.error().message);
    return outcome.error().code == 404;
  }
  placed_[key] = node;
  spdlog::info("scheduler: VMI {}/{} goes to node {}", key.namespace_, key.name, node);
  return true;
}

void Scheduler::mark_silent_nodes() {
  const Resource* resource = registry_.find_qualified(kNodeResource);
  const std::int64_t now = now_seconds();
  for (const ObjectPtr& node : store_.list(kNodeResource, "").objects) {
    const json seen = node->parse();
    const json* ready = ready_condition(seen);
    if (ready == nullptr || text_at(*ready, "/status") == "Unknown" || heartbeat_is_fresh(*ready, now)) continue;
    spdlog::warn("node {}: no heartbeat for {} s", node->key.name, kHeartbeatSeconds);
    const auto outcome = writer_.update(*resource, node->key, self(), {.status_only = true}, [&](const json& current) {
      json marked = current;
      for (json& condition : marked["status"]["conditions"]) {
        if (text_at(condition, "/type") != "Ready" || heartbeat_is_fresh(condition, now)) continue;
        condition["status"] = "Unknown";
        condition["reason"] = "NodeStatusUnknown";
        condition["message"] = "Kubelet stopped posting node status.";
        condition["lastTransitionTime"] = format_time(now);
      }
      return marked;
    });
    if (!outcome) spdlog::error("node {}: {}", node->key.name, outcome.error().message);
  }
}

}  // namespace usbloop::apiserver
