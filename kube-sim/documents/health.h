#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "kube-sim/request/http_types.h"

namespace usbloop::apiserver {

/// One thing that must be fine, by the name kube-apiserver gives it.
struct HealthCheck {
  std::string name;
  std::function<Result<>()> check;  ///< thread-safe, quick
  bool ready_only = false;          ///< not a reason to start the server again: /readyz only
};

/// /healthz, /livez and /readyz as kube-apiserver answers them: "ok", or each check with ?verbose and whenever one
/// fails (500); ?exclude=NAME leaves checks out; /readyz/NAME is one check alone. Checks are added before the server
/// starts; afterwards thread-safe.
class Health {
 public:
  /// With the check "ping", which is always fine.
  Health();
  void add(HealthCheck check) { checks_.push_back(std::move(check)); }

  /// Nothing when the path is none of health.
  [[nodiscard]] std::optional<Response> answer(const Request& request) const;

 private:
  [[nodiscard]] Response all(const std::string& endpoint, const Request& request) const;
  [[nodiscard]] std::vector<const HealthCheck*> checks_of(const std::string& endpoint) const;

  std::vector<HealthCheck> checks_;
};

}  // namespace usbloop::apiserver
