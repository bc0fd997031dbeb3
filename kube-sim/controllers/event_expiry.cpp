#include "kube-sim/controllers/event_expiry.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/timestamp.h"
#include "kube-sim/resources/event.h"

namespace usbloop::apiserver {
namespace {

std::int64_t last_told(const nlohmann::json& event) {
  std::int64_t last = 0;
  for (const char* field :
       {"/metadata/creationTimestamp", "/lastTimestamp", "/eventTime", "/series/lastObservedTime"}) {
    last = std::max(last, parse_time(text_at(event, field)).value_or(0));
  }
  return last;
}

}  // namespace

EventExpiry::EventExpiry(const Registry& registry, Store& store, WatchHub& hub, std::chrono::seconds ttl)
    : resource_(registry.find_qualified(kEventResource)),
      store_(store),
      writer_(store),
      ttl_(ttl),
      loop_("event expiry", store, hub,
            {.resources = {kEventResource},
             .observe =
                 [this](const Event& event) {
                   if (event.type == EventType::added) loop_.add(event.object->key);
                 },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [] {}}) {}

/// Looks at an Event when it comes, and then when it may have expired; not at every count.
Next EventExpiry::reconcile(const Key& key) {
  const ObjectPtr object = store_.get(key);
  if (!object) return Next::done();
  // A client's clock may be ahead of ours.
  const std::int64_t left = std::min(last_told(object->parse()) + ttl_.count() - now_seconds(), ttl_.count());
  if (left > 0) return Next::after(std::chrono::seconds(left));
  DeleteOptions options;
  options.uid = object->uid;
  const auto deletion = writer_.remove(*resource_, key, options);
  return deletion ? Next::done() : Next::failure(deletion.error());
}

}  // namespace usbloop::apiserver
