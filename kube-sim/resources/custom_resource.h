#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// A kind that a user's CustomResourceDefinition defines. All its versions have the fields, columns and subresources of
/// the one that is stored, and differ in nothing but apiVersion.
class CustomResource final : public Resource {
 public:
  /// From a definition that CustomDefinitionResource has nothing against. `terminating`: nothing new is made.
  explicit CustomResource(const nlohmann::json& definition, bool terminating = false);

  [[nodiscard]] const nlohmann::json* openapi(const std::string& version) const override;
  void prune(nlohmann::json& object, std::vector<std::string>* unknown) const override;
  void add_defaults(nlohmann::json& object) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_create(const nlohmann::json& object,
                                                          const User& user) const override;
  [[nodiscard]] const std::vector<Column>& columns() const override { return columns_; }
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;

 private:
  std::map<std::string, nlohmann::json> schemas_;  ///< by version
  bool terminating_;
  std::vector<Column> columns_;
  std::vector<FieldPath> paths_;
};

/// What a definition asks for that this server keeps and does not do, in words; empty when there is nothing.
std::string unserved_parts(const nlohmann::json& definition);

}  // namespace usbloop::apiserver
