#include "apiserver-sim/controllers/namespace_controller.h"

#include "apiserver-sim/api/object_meta.h"
#include "apiserver-sim/resources/namespace.h"
#include "common/log.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const User& self() {
  static const User kUser{"system:serviceaccount:kube-system:namespace-controller", "", {}};
  return kUser;
}

}  // namespace

Result<> make_system_namespaces(const Registry& registry, Store& store) {
  ObjectWriter writer(store);
  const Resource* resource = registry.find_qualified(kNamespaceResource);
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    const auto outcome = writer.create(*resource, "", {{"metadata", {{"name", name}}}}, false);
    if (!outcome && outcome.error().reason != "AlreadyExists") {
      return make_error(ErrorKind::internal, "make the namespace", name, outcome.error().message);
    }
  }
  return {};
}

NamespaceController::NamespaceController(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry), store_(store), writer_(store) {
  const auto wake = [this] {
    const std::scoped_lock lock(mutex_);
    dirty_ = true;
    changed_.notify_one();
  };
  for (const auto& resource : registry.all()) events_.push_back(hub.subscribe(resource->qualified(), wake));
  thread_ = std::thread([this] { run(); });
}

NamespaceController::~NamespaceController() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void NamespaceController::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return dirty_ || stopping_; });
    if (stopping_) return;
    dirty_ = false;
    lock.unlock();
    try {
      finish_terminating();
    } catch (const std::exception& error) {
      spdlog::error("namespace controller: {}", error.what());
    }
    lock.lock();
  }
}

void NamespaceController::finish_terminating() {
  const Resource* resource = registry_.find_qualified(kNamespaceResource);
  for (const ObjectPtr& object : store_.list(kNamespaceResource, "").objects) {
    const auto phase = object->fields.find("status.phase");
    if (phase == object->fields.end() || phase->second != "Terminating" || !empty_out(object->key.name)) continue;
    // Without the finalizer the update is the end of the namespace.
    const auto outcome = writer_.update(*resource, object->key, self(), {}, [](const json& current) {
      json finished = current;
      finished["spec"].erase("finalizers");
      return finished;
    });
    if (!outcome) spdlog::error("namespace {}: {}", object->key.name, outcome.error().message);
  }
}

bool NamespaceController::empty_out(const std::string& name) {
  bool empty = true;
  for (const auto& resource : registry_.all()) {
    if (!resource->info().namespaced) continue;
    for (const ObjectPtr& object : store_.list(resource->qualified(), name).objects) {
      const auto deletion = writer_.remove(*resource, object->key, {});
      empty = empty && deletion && deletion->gone;
    }
  }
  return empty;
}

}  // namespace usbloop::apiserver
