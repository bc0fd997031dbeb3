#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kube-sim/schema/kind_description.h"
#include "kube-sim/schema/schema.h"

namespace usbloop::apiserver {

/// A group version as the schema files write it down.
struct SchemaPackage {
  std::string name;         ///< "io.k8s.api.core.v1": the prefix of the types' names in OpenAPI documents
  std::string api_version;  ///< "v1", "example.org/v1"
  bool custom = false;      ///< of a CustomResourceDefinition: its types stand within each other and have no names
  std::vector<std::string> kinds;
};

/// Schemas read from their notation (kube-sim/resources/schemas/README.md). Immutable once made; pointers into it live
/// as long as it does.
class SchemaSet {
 public:
  /// Texts of schema files, in the order of their dependencies. Throws std::logic_error on a mistake in them.
  explicit SchemaSet(const std::vector<std::string_view>& texts);
  ~SchemaSet() = default;
  SchemaSet(const SchemaSet&) = delete;
  SchemaSet& operator=(const SchemaSet&) = delete;

  /// Null when the kind is not described. `api_version`: as in objects, "v1" or "example.org/v1".
  [[nodiscard]] const Schema* kind(const std::string& api_version, const std::string& kind) const;
  /// A type by the name of its package and its own ("io.k8s.api.core.v1", "Node"); null when there is none.
  [[nodiscard]] const Schema* type(const std::string& package, const std::string& name) const;
  /// All types, kinds among them, by the alphabet of their packages and names.
  [[nodiscard]] std::vector<const Schema*> types() const;
  /// The kinds whose names stand in the files, in their order.
  [[nodiscard]] const std::deque<KindDescription>& described_kinds() const { return described_; }
  /// Null when the files have no names for that kind.
  [[nodiscard]] const KindDescription* description(const std::string& api_version, const std::string& kind) const;
  /// Null when no file describes the group version.
  [[nodiscard]] const SchemaPackage* package(const std::string& api_version) const;

 private:
  class Reader;

  std::deque<Schema> nodes_;
  std::vector<SchemaPackage> packages_;
  std::deque<KindDescription> described_;
  std::map<std::string, Schema*> types_;  ///< by PACKAGE.NAME
};

}  // namespace usbloop::apiserver
