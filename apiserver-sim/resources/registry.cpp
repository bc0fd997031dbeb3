#include "apiserver-sim/resources/registry.h"

#include <algorithm>

#include "apiserver-sim/resources/event.h"
#include "apiserver-sim/resources/installed_kinds.h"
#include "apiserver-sim/resources/lease.h"
#include "apiserver-sim/resources/namespace.h"
#include "apiserver-sim/resources/node.h"
#include "apiserver-sim/resources/pod.h"
#include "apiserver-sim/resources/rbac.h"
#include "apiserver-sim/resources/vm.h"
#include "apiserver-sim/resources/vmi.h"

namespace usbloop::apiserver {
namespace {

bool serves(const ResourceInfo& info, const std::string& version) {
  return info.version == version ||
         std::find(info.other_versions.begin(), info.other_versions.end(), version) != info.other_versions.end();
}

}  // namespace

Registry::Registry() {
  resources_.push_back(std::make_unique<NamespaceResource>());
  resources_.push_back(std::make_unique<NodeResource>());
  resources_.push_back(std::make_unique<PodResource>());
  resources_.push_back(std::make_unique<EventResource>());
  resources_.push_back(std::make_unique<LeaseResource>());
  resources_.push_back(std::make_unique<VmResource>());
  for (const bool namespaced : {true, false}) {
    resources_.push_back(std::make_unique<RoleResource>(namespaced));
    resources_.push_back(std::make_unique<RoleBindingResource>(namespaced));
  }
  resources_.push_back(std::make_unique<VmiResource>());
  for (auto& resource : installed_kinds()) resources_.push_back(std::move(resource));
}

const Resource* Registry::find(const std::string& group, const std::string& version, const std::string& plural) const {
  for (const auto& resource : resources_) {
    const ResourceInfo& info = resource->info();
    if (info.group == group && info.plural == plural && serves(info, version)) return resource.get();
  }
  return nullptr;
}

const Resource* Registry::find_qualified(const std::string& qualified) const {
  for (const auto& resource : resources_) {
    if (resource->qualified() == qualified) return resource.get();
  }
  return nullptr;
}

FieldReader Registry::field_reader() const {
  return [this](const std::string& name, const nlohmann::json& object) {
    const Resource* resource = find_qualified(name);
    return resource == nullptr ? Fields() : resource->selectable(object);
  };
}

}  // namespace usbloop::apiserver
