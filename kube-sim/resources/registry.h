#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kube-sim/resources/aggregated_api.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// What the server serves: the kinds of objects that it keeps, and the groups that other code answers. Immutable once
/// made.
class Registry {
 public:
  using Kinds = std::vector<std::unique_ptr<Resource>>;
  using Apis = std::vector<std::unique_ptr<AggregatedApi>>;

  /// Discovery names the kinds of a group in this order. `schema_texts`: the schema files that describe the kinds, in
  /// the order of their dependencies. Throws std::logic_error on a mistake in them.
  Registry(Kinds kinds, Apis aggregated, const std::vector<std::string_view>& schema_texts);

  /// Null when the group does not serve the resource in that version.
  [[nodiscard]] const Resource* find(const std::string& group, const std::string& version,
                                     const std::string& plural) const;
  /// By the store's name ("nodes", "widgets.example.org"); null when unknown.
  [[nodiscard]] const Resource* find_qualified(const std::string& qualified) const;
  [[nodiscard]] const Kinds& all() const { return resources_; }

  /// The aggregated API of that group; null when there is none.
  [[nodiscard]] const AggregatedApi* aggregated(const std::string& group) const;
  [[nodiscard]] const Apis& all_aggregated() const { return aggregated_; }

  [[nodiscard]] const SchemaSet& schemas() const { return *schemas_; }

  /// For the store.
  [[nodiscard]] FieldReader field_reader() const;

 private:
  std::unique_ptr<const SchemaSet> schemas_;
  Kinds resources_;
  Apis aggregated_;
};

}  // namespace usbloop::apiserver
