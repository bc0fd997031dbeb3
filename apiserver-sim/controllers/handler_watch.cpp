#include "apiserver-sim/controllers/handler_watch.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/controllers/virt_controller.h"
#include "common/timestamp.h"
#include "kube-sim/resources/node.h"

namespace usbloop::apiserver {

using nlohmann::json;

HandlerWatch::HandlerWatch(const Registry& registry, Store& store, WatchHub& hub, std::chrono::seconds patience)
    : registry_(registry),
      store_(store),
      patience_(patience),
      writer_(store),
      recorder_(registry, store, "node-controller"),
      loop_("virt-handler watch", store, hub,
            {.resources = {kNodeResource},
             .observe =
                 [this](const Event& event) {
                   if (event.type != EventType::deleted) loop_.add(event.object->key);
                 },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [] {}}) {}

Next HandlerWatch::reconcile(const Key& key) {
  const ObjectPtr object = store_.get(key);
  if (!object) return Next::done();
  const json node = object->parse();
  const std::string word = text_at(node, "/metadata/annotations/kubevirt.io~1heartbeat");
  if (word.empty() || text_at(node, "/metadata/labels/kubevirt.io~1schedulable") != "true") return Next::done();
  const std::int64_t now = now_seconds();
  const std::int64_t left = parse_time(word).value_or(now) + patience_.count() - now;
  if (left > 0) return Next::after(std::chrono::seconds(left));
  recorder_.normal(node, "NodeUnresponsive", "virt-handler is not responsive, marking node as unresponsive");
  const auto outcome = writer_.update(*registry_.find_qualified(kNodeResource), key, virt_controller_user(), {},
                                      [](const json& current) -> json {
                                        json marked = current;
                                        marked["metadata"]["labels"]["kubevirt.io/schedulable"] = "false";
                                        return marked;
                                      });
  return outcome ? Next::done() : Next::failure(outcome.error());
}

}  // namespace usbloop::apiserver
