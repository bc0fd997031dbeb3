#include "apiserver-sim/controllers/vmi_controller.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/controllers/launcher_pod.h"
#include "apiserver-sim/controllers/virt_controller.h"
#include "apiserver-sim/controllers/vmi_lifecycle.h"
#include "apiserver-sim/kinds/kubevirt_pod.h"
#include "apiserver-sim/kinds/vmi.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/pod.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// The pod that speaks for the VMI: one that is not being deleted, if there is one.
const ObjectPtr* speaker(const std::vector<ObjectPtr>& pods) {
  const ObjectPtr* chosen = nullptr;
  for (const ObjectPtr& pod : pods) {
    if (chosen == nullptr || !is_being_deleted(pod->parse())) chosen = &pod;
  }
  return chosen;
}

}  // namespace

VmiController::VmiController(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      writer_(store),
      recorder_(registry, store, "virtualmachine-controller"),
      loop_("vmi controller", store, hub,
            {.resources = {kVmiResource, kPodResource},
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget =
                 [this] {
                   pods_.clear();
                   vmis_.clear();
                 }}) {}

void VmiController::observe(const Event& event) {
  const Object& object = *event.object;
  if (object.key.resource == kPodResource) return observe_pod(event);
  if (event.type == EventType::deleted) {
    vmis_.erase(object.uid);  // the garbage collector sees to its pods
    return;
  }
  vmis_[object.uid] = object.key;
  loop_.add(object.key);
}

void VmiController::observe_pod(const Event& event) {
  const std::string uid = vmi_uid_of(event.object->parse());
  if (uid.empty()) return;
  if (event.type == EventType::deleted) {
    auto& pods = pods_[uid];
    pods.erase(event.object->key);
    if (pods.empty()) pods_.erase(uid);
  } else {
    pods_[uid].insert(event.object->key);
  }
  if (const auto vmi = vmis_.find(uid); vmi != vmis_.end()) loop_.add(vmi->second);
}

std::vector<ObjectPtr> VmiController::pods_of(const std::string& uid) const {
  std::vector<ObjectPtr> pods;
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return pods;
  for (const Key& key : found->second) {
    if (ObjectPtr pod = store_.get(key)) pods.push_back(std::move(pod));
  }
  return pods;
}

Next VmiController::reconcile(const Key& key) {
  const ObjectPtr object = store_.get(key);
  if (!object) return Next::done();
  const json vmi = object->parse();
  const std::vector<ObjectPtr> pods = pods_of(object->uid);
  if (pods.empty() && wants_pod(vmi)) return create_pod(vmi);
  if (is_being_deleted(vmi) && !pods.empty()) {
    const Next deleted = delete_pods(pods);
    if (deleted.failed) return deleted;
  }
  const ObjectPtr* chosen = speaker(pods);
  const json pod = chosen == nullptr ? json() : (*chosen)->parse();
  const json* seen = chosen == nullptr ? nullptr : &pod;
  // Most writes concern other objects: no lock is taken for those.
  if (advance_vmi(vmi, seen, format_time(now_seconds())) == vmi) return Next::done();
  return write(key, object->uid, seen);
}

Next VmiController::create_pod(const json& vmi) {
  const std::string ns = text_at(vmi, "/metadata/namespace");
  const auto outcome = writer_.create(*registry_.find_qualified(kPodResource), ns, launcher_pod(vmi), false);
  if (!outcome) {
    // A namespace that goes away takes the VMI with it.
    if (outcome.error().code == 403 || outcome.error().code == 404) return Next::done();
    recorder_.warning(vmi, "FailedCreate", "Error creating pod: " + outcome.error().message);
    return Next::failure(outcome.error());
  }
  observe_pod({EventType::added, *outcome, nullptr});
  recorder_.normal(vmi, "SuccessfulCreate", "Created virtual machine pod " + (*outcome)->key.name);
  const json pod = (*outcome)->parse();
  return write({kVmiResource, ns, text_at(vmi, "/metadata/name")}, text_at(vmi, "/metadata/uid"), &pod);
}

Next VmiController::delete_pods(const std::vector<ObjectPtr>& pods) {
  Next next;
  for (const ObjectPtr& pod : pods) {
    const json seen = pod->parse();
    if (is_being_deleted(seen)) continue;
    const auto deletion = writer_.remove(*registry_.find_qualified(kPodResource), pod->key, {.uid = pod->uid});
    if (!deletion && deletion.error().code != 404) next = Next::failure(deletion.error());
  }
  return next;
}

Next VmiController::write(const Key& key, const std::string& uid, const json* pod) {
  const std::string now = format_time(now_seconds());
  const auto edit = [&](const json& current) -> json {
    return text_at(current, "/metadata/uid") == uid ? advance_vmi(current, pod, now) : current;
  };
  const auto outcome = writer_.update(*registry_.find_qualified(kVmiResource), key, virt_controller_user(), {}, edit);
  if (outcome) return Next::done();
  if (outcome.error().code != 404) spdlog::error("VMI {}/{}: {}", key.namespace_, key.name, outcome.error().message);
  return Next::failure(outcome.error());
}

}  // namespace usbloop::apiserver
