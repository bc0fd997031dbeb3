#include "kube-sim/controllers/no_controller.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "kube-sim/resources/event.h"

namespace usbloop::apiserver {
namespace {

std::string value_of(const Fields& fields, const char* name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

/// Events first: those of an earlier run tell what need not be told again.
std::vector<std::string> followed(const Registry& registry) {
  std::vector<std::string> names = {kEventResource};
  for (const ResourcePtr& kind : registry.all()) {
    if (!kind->without_controller().empty()) names.push_back(kind->qualified());
  }
  return names;
}

}  // namespace

NoController::NoController(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      recorder_(registry, store, "kube-sim"),
      loop_("kinds without a controller", store, hub,
            {.resources = followed(registry),
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [this] { told_.clear(); }}) {}

void NoController::observe(const Event& event) {
  const Object& object = *event.object;
  if (object.key.resource == kEventResource) {
    // The event may expire before its object goes; it is not told a second time.
    if (event.type == EventType::added && value_of(object.fields, "reason") == kNoController) {
      told_.insert(value_of(object.fields, "involvedObject.uid"));
    }
  } else if (event.type == EventType::added) {
    loop_.add(object.key);
  } else if (event.type == EventType::deleted) {
    told_.erase(object.uid);
  }
}

Next NoController::reconcile(const Key& key) {
  const ObjectPtr found = store_.get(key);
  if (!found || !told_.insert(found->uid).second) return Next::done();
  const std::string text = registry_.find_qualified(key.resource)->without_controller();
  if (recorder_.warning(found->parse(), kNoController, text)) return Next::done();
  told_.erase(found->uid);
  return {.again = std::nullopt,
          .failed = true};  // a full disk has room again one day, and an object whose namespace goes is gone one day
}

}  // namespace usbloop::apiserver
