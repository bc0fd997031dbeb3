#pragma once

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kube-sim/resources/aggregated_api.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// What the server serves: the kinds of objects that it keeps, and the groups that other code answers. Custom kinds
/// come and go at run time, all else stays as it was made. Thread-safe.
class Registry {
 public:
  using Kinds = std::vector<std::unique_ptr<Resource>>;
  using Apis = std::vector<std::unique_ptr<AggregatedApi>>;

  /// Kinds whose names stand in the schema files are added by themselves. `schema_texts`: the schema files that
  /// describe the kinds, in the order of their dependencies. Throws std::logic_error on a mistake in them.
  Registry(Kinds kinds, Apis aggregated, const std::vector<std::string_view>& schema_texts);

  /// Null when the group does not serve the resource in that version.
  [[nodiscard]] ResourcePtr find(const std::string& group, const std::string& version, const std::string& plural) const;
  /// By the store's name ("nodes", "widgets.example.org"), custom kinds as well; null when unknown.
  [[nodiscard]] ResourcePtr find_stored(const std::string& qualified) const;
  /// The same among the kinds that the registry was made with, which live as long as it.
  [[nodiscard]] const Resource* find_qualified(const std::string& qualified) const;
  /// All kinds, the custom ones last.
  [[nodiscard]] std::vector<ResourcePtr> all() const;

  /// Serves a custom kind from now on, in place of one that has the same qualified name.
  void put_custom(ResourcePtr kind);
  void remove_custom(const std::string& qualified);
  /// Counts the changes of the custom kinds.
  [[nodiscard]] std::uint64_t generation() const;

  /// The aggregated API of that group; null when there is none.
  [[nodiscard]] const AggregatedApi* aggregated(const std::string& group) const;
  [[nodiscard]] const Apis& all_aggregated() const { return aggregated_; }

  [[nodiscard]] const SchemaSet& schemas() const { return *schemas_; }

  /// For the store.
  [[nodiscard]] FieldReader field_reader() const;

 private:
  std::unique_ptr<const SchemaSet> schemas_;
  std::vector<ResourcePtr> resources_;
  Apis aggregated_;
  mutable std::shared_mutex custom_mutex_;
  std::vector<ResourcePtr> custom_;
  std::uint64_t generation_ = 0;
};

}  // namespace usbloop::apiserver
