#include "kube-sim/controllers/namespace_defaults.h"

#include "kube-sim/objects/object_meta.h"
#include "kube-sim/resources/config.h"
#include "kube-sim/resources/namespace.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const User& namespace_defaults_user() {
  static const User kUser{"system:kube-controller-manager", "", {"system:masters"}};
  return kUser;
}

/// Whether a write of this object may have taken away what a namespace has to have.
bool is_kept(const Key& key) {
  return (key.resource == kServiceAccountResource && key.name == kDefaultServiceAccount) ||
         (key.resource == kConfigMapResource && key.name == kRootCaConfigMap);
}

}  // namespace

NamespaceDefaults::NamespaceDefaults(const Registry& registry, Store& store, WatchHub& hub, std::string root_ca)
    : registry_(registry),
      store_(store),
      writer_(store),
      root_ca_(std::move(root_ca)),
      loop_("namespace defaults", store, hub,
            {.resources = {kNamespaceResource, kServiceAccountResource, kConfigMapResource},
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [] {}}) {}

void NamespaceDefaults::observe(const Event& event) {
  const Key& key = event.object->key;
  if (key.resource == kNamespaceResource) {
    if (event.type == EventType::added) loop_.add(key);
  } else if (event.type != EventType::added && is_kept(key)) {
    loop_.add({kNamespaceResource, "", key.namespace_});
  }
}

Next NamespaceDefaults::reconcile(const Key& key) {
  const ObjectPtr found = store_.get(key);
  if (!found || is_being_deleted(found->parse())) return Next::done();
  const Next account = keep(kServiceAccountResource, key.name, {{"metadata", {{"name", kDefaultServiceAccount}}}});
  const Next certificate = keep(kConfigMapResource, key.name,
                                {{"metadata", {{"name", kRootCaConfigMap}}}, {"data", {{"ca.crt", root_ca_}}}});
  return account.failed ? account : certificate;
}

Next NamespaceDefaults::keep(const std::string& resource, const std::string& namespace_, const json& wanted) {
  const Resource& kind = *registry_.find_qualified(resource);
  const Key key{resource, namespace_, text_at(wanted, "/metadata/name")};
  const ObjectPtr found = store_.get(key);
  if (!found) {
    const Outcome made = writer_.create(kind, namespace_, wanted, false);
    return made ? Next::done() : Next::failure(made.error());
  }
  const json now = found->parse();
  const auto data = wanted.find("data");
  if (data == wanted.end() || now.value("data", json()) == *data) return Next::done();
  const Outcome written = writer_.update(kind, key, namespace_defaults_user(), {}, [&](const json& current) -> json {
    json mended = current;
    mended["data"] = *data;
    return mended;
  });
  return written ? Next::done() : Next::failure(written.error());
}

}  // namespace usbloop::apiserver
