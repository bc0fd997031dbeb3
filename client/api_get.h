#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/error.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::client {

/// One object of the API server, over the road that redirections take (proxy included). Blocks, for `timeout` at most
/// apart from the look-up of a name. The cause of a refusal reads "(CODE): MESSAGE". Errors: not_found (404), denied
/// (401, 403), unavailable (another refusal, or no connection), timeout, protocol (no JSON, or too much of it).
Result<nlohmann::json> api_get(const kube::ClusterAccess& access, const std::string& path,
                               std::chrono::milliseconds timeout);

/// Posts an object, and gives what the server makes of it. The same errors.
Result<nlohmann::json> api_create(const kube::ClusterAccess& access, const std::string& path,
                                  const nlohmann::json& object, std::chrono::milliseconds timeout);

}  // namespace usbloop::client
