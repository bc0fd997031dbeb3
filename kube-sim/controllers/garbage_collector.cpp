#include "kube-sim/controllers/garbage_collector.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/log.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/custom_definition.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const User& garbage_collector_user() {
  static const User kUser{"system:serviceaccount:kube-system:generic-garbage-collector", "", {"system:masters"}};
  return kUser;
}

const json& references_of(const json& object) {
  static const json kNone = json::array();
  const json* references = element_at(object, "/metadata/ownerReferences");
  return references != nullptr && references->is_array() ? *references : kNone;
}

bool has_finalizer(const json& object, const char* finalizer) {
  const json* finalizers = element_at(object, "/metadata/finalizers");
  return finalizers != nullptr && finalizers->is_array() &&
         std::find(finalizers->begin(), finalizers->end(), finalizer) != finalizers->end();
}

bool waits_for_us(const json& object) {
  return is_being_deleted(object) &&
         (has_finalizer(object, kForegroundFinalizer) || has_finalizer(object, kOrphanFinalizer));
}

/// Most objects have neither owners nor these finalizers; they need not be parsed.
bool may_concern_us(const Object& object) {
  return object.text.find("\"ownerReferences\"") != std::string::npos ||
         object.text.find(kForegroundFinalizer) != std::string::npos ||
         object.text.find("\"orphan\"") != std::string::npos;
}

bool blocks(const json& dependent, const std::string& owner_uid) {
  for (const json& reference : references_of(dependent)) {
    const json* blocking = element_at(reference, "/blockOwnerDeletion");
    if (text_at(reference, "/uid") == owner_uid && blocking != nullptr && *blocking == true) return true;
  }
  return false;
}

}  // namespace

GarbageCollector::GarbageCollector(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      writer_(store),
      loop_("garbage collector", store, hub,
            {.resources = resource_names(),
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget =
                 [this] {
                   owners_.clear();
                   dependents_.clear();
                   waiting_.clear();
                 }}) {}

std::vector<std::string> GarbageCollector::resource_names() const {
  std::vector<std::string> names;
  for (const auto& resource : registry_.all()) names.push_back(resource->qualified());
  return names;
}

void GarbageCollector::observe(const Event& event) {
  const Object& object = *event.object;
  const bool deleted = event.type == EventType::deleted;
  if (object.key.resource == kCustomResourceDefinition) follow_custom(object.key.name, deleted);
  if (deleted || owners_.contains(object.key) || may_concern_us(object)) index(object, deleted);
}

/// A definition bears the name of the resource that it defines.
void GarbageCollector::follow_custom(const std::string& resource, bool gone) {
  if (gone) {
    loop_.leave(resource);
  } else if (registry_.find_stored(resource) != nullptr) {
    loop_.follow(resource);
  }
}

ResourcePtr GarbageCollector::kind_named(const std::string& group, const std::string& kind) const {
  for (const ResourcePtr& resource : registry_.all()) {
    if (resource->info().group == group && resource->info().kind == kind) return resource;
  }
  return nullptr;
}

void GarbageCollector::index(const Object& object, bool deleted) {
  std::vector<std::string> before;
  if (const auto known = owners_.find(object.key); known != owners_.end()) {
    before = std::move(known->second);
    owners_.erase(known);
    for (const std::string& uid : before) {
      auto& dependents = dependents_[uid];
      dependents.erase(object.key);
      if (dependents.empty()) dependents_.erase(uid);
    }
  }
  if (deleted) {
    waiting_.erase(object.uid);
    for (const Key& dependent : dependents_of(object.uid)) loop_.add(dependent);
  } else {
    const json tree = object.parse();
    std::vector<std::string> owners;
    for (const json& reference : references_of(tree)) owners.push_back(text_at(reference, "/uid"));
    for (const std::string& uid : owners) dependents_[uid].insert(object.key);
    if (!owners.empty()) {
      owners_[object.key] = std::move(owners);
      loop_.add(object.key);
    }
    if (waits_for_us(tree)) {
      waiting_[object.uid] = object.key;
      loop_.add(object.key);
    }
  }
  add_waiting_owners(before);
}

void GarbageCollector::add_waiting_owners(const std::vector<std::string>& uids) {
  for (const std::string& uid : uids) {
    if (const auto owner = waiting_.find(uid); owner != waiting_.end()) loop_.add(owner->second);
  }
}

std::set<Key> GarbageCollector::dependents_of(const std::string& uid) const {
  const auto found = dependents_.find(uid);
  return found == dependents_.end() ? std::set<Key>() : found->second;
}

GarbageCollector::OwnerState GarbageCollector::state_of(const json& reference, const std::string& namespace_) const {
  const std::string api_version = text_at(reference, "/apiVersion");
  const auto slash = api_version.find('/');
  const std::string group = slash == std::string::npos ? std::string() : api_version.substr(0, slash);
  const ResourcePtr kind = kind_named(group, text_at(reference, "/kind"));
  if (kind == nullptr) return OwnerState::solid;
  const Resource& resource = *kind;
  if (resource.info().namespaced && namespace_.empty()) return OwnerState::solid;
  const ObjectPtr owner = store_.get(
      {resource.qualified(), resource.info().namespaced ? namespace_ : std::string(), text_at(reference, "/name")});
  if (!owner || owner->uid != text_at(reference, "/uid")) return OwnerState::absent;
  if (!waiting_.contains(owner->uid)) return OwnerState::solid;
  return has_finalizer(owner->parse(), kForegroundFinalizer) ? OwnerState::waiting : OwnerState::solid;
}

Next GarbageCollector::reconcile(const Key& key) {
  const ObjectPtr found = store_.get(key);
  if (!found) return Next::done();
  const json object = found->parse();
  if (is_being_deleted(object)) {
    if (has_finalizer(object, kOrphanFinalizer)) return finish_orphan(key, object);
    if (has_finalizer(object, kForegroundFinalizer)) return finish_foreground(key, object);
    return Next::done();
  }
  return check_owners(key, object);
}

Next GarbageCollector::check_owners(const Key& key, const json& object) {
  bool solid = false;
  bool waiting = false;
  std::set<std::string> lost;
  for (const json& reference : references_of(object)) {
    const OwnerState state = state_of(reference, key.namespace_);
    solid = solid || state == OwnerState::solid;
    waiting = waiting || state == OwnerState::waiting;
    if (state != OwnerState::solid) lost.insert(text_at(reference, "/uid"));
  }
  if (lost.empty()) return Next::done();
  if (solid) return strip_references(key, lost);
  const std::string uid = text_at(object, "/metadata/uid");
  const bool in_foreground = waiting && !dependents_of(uid).empty();
  return remove(key, uid, in_foreground ? "Foreground" : "Background");
}

Next GarbageCollector::finish_foreground(const Key& key, const json& owner) {
  const std::string uid = text_at(owner, "/metadata/uid");
  bool blocked = false;
  for (const Key& dependent : dependents_of(uid)) {
    const ObjectPtr found = store_.get(dependent);
    if (!found) continue;
    const json object = found->parse();
    blocked = blocked || blocks(object, uid);
    if (!is_being_deleted(object)) loop_.add(dependent);
  }
  return blocked ? Next::done() : drop_finalizer(key, kForegroundFinalizer);
}

Next GarbageCollector::finish_orphan(const Key& key, const json& owner) {
  const std::string uid = text_at(owner, "/metadata/uid");
  for (const Key& dependent : dependents_of(uid)) {
    const Next stripped = strip_references(dependent, {uid});
    if (stripped.failed) return stripped;
  }
  return drop_finalizer(key, kOrphanFinalizer);
}

Next GarbageCollector::remove(const Key& key, const std::string& uid, const char* propagation) {
  DeleteOptions options;
  options.uid = uid;
  options.propagation_policy = propagation;
  const ResourcePtr kind = registry_.find_stored(key.resource);
  if (kind == nullptr) return Next::done();
  const auto deletion = writer_.remove(*kind, key, options);
  if (!deletion) return Next::failure(deletion.error());
  spdlog::debug("garbage collector: {} {}/{} has lost its owner", key.resource, key.namespace_, key.name);
  return Next::done();
}

Next GarbageCollector::strip_references(const Key& key, const std::set<std::string>& uids) {
  const auto edit = [&](const json& current) -> json {
    json stripped = current;
    if (references_of(current).empty()) return stripped;
    auto& references = stripped["metadata"]["ownerReferences"].get_ref<json::array_t&>();
    std::erase_if(references, [&](const json& reference) { return uids.contains(text_at(reference, "/uid")); });
    return stripped;
  };
  const ResourcePtr kind = registry_.find_stored(key.resource);
  if (kind == nullptr) return Next::done();
  const auto outcome = writer_.update(*kind, key, garbage_collector_user(), {.whole = true}, edit);
  return outcome || outcome.error().code == 404 ? Next::done() : Next::failure(outcome.error());
}

Next GarbageCollector::drop_finalizer(const Key& key, const char* finalizer) {
  const auto edit = [&](const json& current) -> json {
    json released = current;
    if (!has_finalizer(current, finalizer)) return released;
    std::erase(released["metadata"]["finalizers"].get_ref<json::array_t&>(), json(finalizer));
    return released;
  };
  const ResourcePtr kind = registry_.find_stored(key.resource);
  if (kind == nullptr) return Next::done();
  const auto outcome = writer_.update(*kind, key, garbage_collector_user(), {.whole = true}, edit);
  return outcome ? Next::done() : Next::failure(outcome.error());
}

}  // namespace usbloop::apiserver
