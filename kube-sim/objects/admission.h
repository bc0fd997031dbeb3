#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "common/kube/status.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// Judges writes of users when it is known what they would make. Controllers of the server itself are not asked about.
/// Thread-safe.
class Admission {
 public:
  virtual ~Admission() = default;
  /// Why this user may not make `object` (valid, with its defaults) out of `current`, which is null for a new one.
  /// Called within a transaction of the store: must not write.
  [[nodiscard]] virtual std::optional<kube::Status> refuse(const Resource& resource, const nlohmann::json* current,
                                                           const nlohmann::json& object, const User& user) const = 0;
};

}  // namespace usbloop::apiserver
