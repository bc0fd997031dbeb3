#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kConfigMapResource = "configmaps";
inline constexpr const char* kSecretResource = "secrets";
inline constexpr const char* kServiceAccountResource = "serviceaccounts";

/// Core v1 ConfigMap or Secret: entries with names, at most a mebibyte. One that is immutable stays as it is.
class ConfigResource final : public Resource {
 public:
  explicit ConfigResource(const std::string& kind);
  /// A secret's stringData becomes data.
  void add_defaults(nlohmann::json& object) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
};

}  // namespace usbloop::apiserver
