#include "kube-sim/controllers/namespace_controller.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "common/kube/conditions.h"
#include "common/timestamp.h"
#include "kube-sim/resources/namespace.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kPause{50};
constexpr std::chrono::milliseconds kCustomPause{1'000};

const User& namespace_controller_user() {
  static const User kUser{"system:serviceaccount:kube-system:namespace-controller", "", {"system:masters"}};
  return kUser;
}

}  // namespace

Result<> make_system_namespaces(const Registry& registry, Store& store, std::vector<std::string> more) {
  ObjectWriter writer(store);
  const Resource* resource = registry.find_qualified(kNamespaceResource);
  std::vector<std::string> names = {"default", "kube-system", "kube-public", "kube-node-lease"};
  names.insert(names.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  for (const std::string& name : names) {
    const auto outcome = writer.create(*resource, "", {{"metadata", {{"name", name}}}}, false);
    if (!outcome && outcome.error().reason != "AlreadyExists") {
      return make_error(ErrorKind::internal, "make the namespace", name, outcome.error().message);
    }
  }
  return {};
}

NamespaceController::NamespaceController(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      writer_(store),
      loop_("namespace controller", store, hub,
            {.resources = resource_names(),
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [this] { terminating_.clear(); }}) {}

/// Namespaces come first: which of them go away decides what counts among the rest.
std::vector<std::string> NamespaceController::resource_names() const {
  std::vector<std::string> names = {kNamespaceResource};
  for (const auto& resource : registry_.all()) {
    if (resource->info().namespaced) names.push_back(resource->qualified());
  }
  return names;
}

void NamespaceController::observe(const Event& event) {
  const Object& object = *event.object;
  if (object.key.resource != kNamespaceResource) {
    // A look goes through all that is left, so one look serves many writes.
    const Key key{kNamespaceResource, "", object.key.namespace_};
    if (terminating_.contains(key.name)) loop_.add_after(key, kPause);
    return;
  }
  const auto phase = object.fields.find("status.phase");
  const bool terminating = phase != object.fields.end() && phase->second == "Terminating";
  if (event.type == EventType::deleted || !terminating) {
    terminating_.erase(object.key.name);
  } else {
    terminating_.insert(object.key.name);
    loop_.add(object.key);
  }
}

Next NamespaceController::reconcile(const Key& key) {
  if (!terminating_.contains(key.name)) return Next::done();
  const Remains remains = empty_out(key.name);
  if (!remains.objects.empty()) return tell(key, remains);
  // Without the finalizer the update is the end of the namespace.
  const auto outcome =
      writer_.update(*registry_.find_qualified(kNamespaceResource), key, namespace_controller_user(), {.whole = true},
                     [](const json& current) -> json {
                       json finished = current;
                       std::erase(finished["spec"]["finalizers"].get_ref<json::array_t&>(), json("kubernetes"));
                       return finished;
                     });
  return outcome ? Next::done() : Next::failure(outcome.error());
}

NamespaceController::Remains NamespaceController::empty_out(const std::string& name) {
  Remains remains;
  for (const auto& resource : registry_.all()) {
    if (!resource->info().namespaced) continue;
    for (const ObjectPtr& object : store_.list(resource->qualified(), name).objects) {
      const auto deletion = writer_.remove(*resource, object->key, {});
      if ((deletion && deletion->gone) || (!deletion && deletion.error().code == 404)) continue;
      ++remains.objects[resource->qualified()];
      if (!deletion) continue;
      const json left = deletion->object->parse();
      const json* finalizers = element_at(left, "/metadata/finalizers");
      if (finalizers == nullptr) continue;
      for (const json& finalizer : *finalizers) ++remains.finalizers[finalizer.get<std::string>()];
    }
  }
  return remains;
}

/// The conditions in which a namespace says what keeps it.
Next NamespaceController::tell(const Key& key, const Remains& remains) {
  const auto listed = [](const std::map<std::string, std::size_t>& counts, const char* what) {
    std::string text;
    for (const auto& [name, count] : counts) {
      text += (text.empty() ? "" : ", ") + name + what + std::to_string(count) + " resource instances";
    }
    return text;
  };
  const std::string now = format_time(now_seconds());
  const auto edit = [&](const json& current) -> json {
    json told = current;
    kube::set_condition(
        told,
        {"NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"},
        now);
    kube::set_condition(told,
                        {"NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
                         "All legacy kube types successfully parsed"},
                        now);
    kube::set_condition(told,
                        {"NamespaceDeletionContentFailure", "False", "ContentDeleted",
                         "All content successfully deleted, may be waiting on finalization"},
                        now);
    kube::set_condition(told,
                        {"NamespaceContentRemaining", "True", "SomeResourcesRemain",
                         "Some resources are remaining: " + listed(remains.objects, " has ")},
                        now);
    if (remains.finalizers.empty()) {
      kube::set_condition(told,
                          {"NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers",
                           "All content-preserving finalizers finished"},
                          now);
    } else {
      kube::set_condition(
          told,
          {"NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain",
           "Some content in the namespace has finalizers remaining: " + listed(remains.finalizers, " in ")},
          now);
    }
    return told;
  };
  const auto outcome = writer_.update(*registry_.find_qualified(kNamespaceResource), key, namespace_controller_user(),
                                      {.status_only = true}, edit);
  // Of custom kinds, which come and go, nothing is heard.
  return outcome ? Next::after(kCustomPause) : Next::failure(outcome.error());
}

}  // namespace usbloop::apiserver
