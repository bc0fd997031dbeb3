#include "kube-sim/resources/registry.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace usbloop::apiserver {
namespace {

bool serves(const ResourceInfo& info, const std::string& version) {
  return (info.version == version && info.served) ||
         std::find(info.other_versions.begin(), info.other_versions.end(), version) != info.other_versions.end();
}

bool is_qualified(const ResourcePtr& kind, const std::string& name) { return kind->qualified() == name; }

ResourcePtr find_served(const std::vector<ResourcePtr>& kinds, const std::string& group, const std::string& version,
                        const std::string& plural) {
  for (const ResourcePtr& kind : kinds) {
    const ResourceInfo& info = kind->info();
    if (info.group == group && info.plural == plural && serves(info, version)) return kind;
  }
  return nullptr;
}

}  // namespace

Registry::Registry(Kinds kinds, Apis aggregated, const std::vector<std::string_view>& schema_texts)
    : schemas_(std::make_unique<const SchemaSet>(schema_texts)), aggregated_(std::move(aggregated)) {
  for (const KindDescription& described : schemas_->described_kinds()) {
    const auto same = [&](const auto& kind) {
      return kind->info().kind == described.kind && kind->api_version(kind->info().version) == described.api_version;
    };
    if (std::any_of(kinds.begin(), kinds.end(), same)) continue;
    kinds.push_back(std::make_unique<Resource>(described.api_version, described.kind));
  }
  for (auto& kind : kinds) {
    kind->describe(*schemas_);
    resources_.push_back(std::move(kind));
  }
}

ResourcePtr Registry::find(const std::string& group, const std::string& version, const std::string& plural) const {
  if (ResourcePtr found = find_served(resources_, group, version, plural)) return found;
  const std::shared_lock lock(custom_mutex_);
  return find_served(custom_, group, version, plural);
}

const Resource* Registry::find_qualified(const std::string& qualified) const {
  for (const auto& resource : resources_) {
    if (is_qualified(resource, qualified)) return resource.get();
  }
  return nullptr;
}

ResourcePtr Registry::find_stored(const std::string& qualified) const {
  for (const auto& resource : resources_) {
    if (is_qualified(resource, qualified)) return resource;
  }
  const std::shared_lock lock(custom_mutex_);
  for (const auto& resource : custom_) {
    if (is_qualified(resource, qualified)) return resource;
  }
  return nullptr;
}

std::vector<ResourcePtr> Registry::all() const {
  std::vector<ResourcePtr> kinds = resources_;
  const std::shared_lock lock(custom_mutex_);
  kinds.insert(kinds.end(), custom_.begin(), custom_.end());
  return kinds;
}

void Registry::put_custom(ResourcePtr kind) {
  const std::unique_lock lock(custom_mutex_);
  const std::string name = kind->qualified();
  std::erase_if(custom_, [&](const ResourcePtr& other) { return is_qualified(other, name); });
  custom_.push_back(std::move(kind));
  ++generation_;
}

void Registry::remove_custom(const std::string& qualified) {
  const std::unique_lock lock(custom_mutex_);
  generation_ += std::erase_if(custom_, [&](const ResourcePtr& other) { return is_qualified(other, qualified); });
}

std::uint64_t Registry::generation() const {
  const std::shared_lock lock(custom_mutex_);
  return generation_;
}

const AggregatedApi* Registry::aggregated(const std::string& group) const {
  for (const auto& api : aggregated_) {
    if (api->group() == group) return api.get();
  }
  return nullptr;
}

FieldReader Registry::field_reader() const {
  return [this](const std::string& name, const nlohmann::json& object) {
    const ResourcePtr resource = find_stored(name);
    return resource == nullptr ? Fields() : resource->selectable(object);
  };
}

}  // namespace usbloop::apiserver
