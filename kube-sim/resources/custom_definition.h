#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kCustomResourceDefinition = "customresourcedefinitions.apiextensions.k8s.io";

/// Bounds of one definition.
inline constexpr std::size_t kMostCustomVersions = 20;
inline constexpr std::size_t kMostCustomColumns = 100;

/// apiextensions.k8s.io/v1 CustomResourceDefinition. What makes a kind of it: controllers/custom_kinds.h
class CustomDefinitionResource final : public Resource {
 public:
  CustomDefinitionResource();
  void add_defaults(nlohmann::json& object) const override;
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
};

}  // namespace usbloop::apiserver
