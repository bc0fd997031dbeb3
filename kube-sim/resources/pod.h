#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

inline constexpr const char* kPodResource = "pods";

/// Core v1 Pod: the fields that tests and controllers of ours need. A pod that has a node and is not over keeps, after
/// a DELETE, until its node has ended it (a second DELETE with no grace).
class PodResource final : public Resource {
 public:
  PodResource();
  void prepare_create(nlohmann::json& object, const std::string& now) const override;
  void prepare_update(nlohmann::json& object, const nlohmann::json& current, bool status_only) const override;
  [[nodiscard]] Causes validate(const nlohmann::json& object) const override;
  [[nodiscard]] std::optional<kube::Status> refuse_update(const nlohmann::json& object, const nlohmann::json& current,
                                                          const User& user) const override;
  [[nodiscard]] std::int64_t deletion_grace(const nlohmann::json& object,
                                            std::optional<std::int64_t> wish) const override;
  [[nodiscard]] nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const override;
};

/// "Guaranteed", "Burstable" or "BestEffort", from what the containers ask for.
std::string qos_class(const nlohmann::json& pod);

/// Succeeded or Failed.
bool is_over(const nlohmann::json& pod);

/// Whether a condition of that type is "True".
bool has_condition(const nlohmann::json& object, const char* type);

}  // namespace usbloop::apiserver
