#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "kube-sim/schema/schema_set.h"

namespace usbloop::apiserver {

/// The two generations of OpenAPI documents.
enum class OpenApiVersion { v2, v3 };

/// Writes schemas as OpenAPI has them, and collects the definitions that they refer to. Types of built-in kinds refer
/// to each other by name; those of custom kinds stand within each other, as kube-apiserver publishes them.
class SchemaWriter {
 public:
  SchemaWriter(const SchemaSet& set, OpenApiVersion version) : set_(set), version_(version) {}

  /// Adds the definition of a kind and of its list, for a group version in which it is served. Returns false when no
  /// file describes the kind. `stored_api_version` is the one of the schema files.
  bool add_kind(const std::string& stored_api_version, const std::string& served_api_version, const std::string& kind);

  /// The same for a kind that a user's definition made. Parts of the schema that v2 does not have are left out there.
  void add_custom_kind(const std::string& api_version, const std::string& kind, const nlohmann::json& schema);

  /// A reference to a kind's definition, to its list's, or to a type of meta.k8s.io/v1.
  [[nodiscard]] nlohmann::ordered_json kind_reference(const std::string& api_version, const std::string& kind) const;
  nlohmann::ordered_json meta_reference(const std::string& type);

  /// By name, in the order of the alphabet.
  [[nodiscard]] const nlohmann::json& definitions() const { return definitions_; }

 private:
  [[nodiscard]] nlohmann::ordered_json reference(const std::string& name) const;
  [[nodiscard]] std::string definition_name(const std::string& api_version, const std::string& kind) const;
  nlohmann::ordered_json write(const Schema& schema, bool custom);
  nlohmann::ordered_json write_object(const Schema& schema, bool custom);
  nlohmann::ordered_json write_named(const Schema& schema);
  nlohmann::ordered_json write_scalar(const Schema& schema, bool custom);
  nlohmann::ordered_json write_field(const SchemaField& field, bool custom);
  void add_list(const std::string& served_api_version, const std::string& kind);

  const SchemaSet& set_;
  OpenApiVersion version_;
  nlohmann::json definitions_ = nlohmann::json::object();
};

}  // namespace usbloop::apiserver
