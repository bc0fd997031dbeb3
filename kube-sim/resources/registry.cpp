#include "kube-sim/resources/registry.h"

#include <algorithm>
#include <utility>

namespace usbloop::apiserver {
namespace {

bool serves(const ResourceInfo& info, const std::string& version) {
  return info.version == version ||
         std::find(info.other_versions.begin(), info.other_versions.end(), version) != info.other_versions.end();
}

}  // namespace

Registry::Registry(Kinds kinds, Apis aggregated, const std::vector<std::string_view>& schema_texts)
    : schemas_(std::make_unique<const SchemaSet>(schema_texts)),
      resources_(std::move(kinds)),
      aggregated_(std::move(aggregated)) {
  for (const auto& resource : resources_) resource->describe(*schemas_);
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

const AggregatedApi* Registry::aggregated(const std::string& group) const {
  for (const auto& api : aggregated_) {
    if (api->group() == group) return api.get();
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
