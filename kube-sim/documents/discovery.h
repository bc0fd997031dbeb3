#pragma once

#include <optional>
#include <string>

#include "kube-sim/request/http_types.h"
#include "kube-sim/resources/registry.h"

// The documents from which clients learn what the server has. wire.md section 2.
namespace usbloop::apiserver {

/// The answer to a GET of "/api", "/apis", "/apis/GROUP", "/apis/GROUP/VERSION", "/version", …; nothing for other
/// paths.
/// "/api" and "/apis" are aggregated documents for clients whose Accept names one, in the version that it names, and
/// the legacy ones for all others.
std::optional<Response> answer_discovery(const Registry& registry, const Request& request);

}  // namespace usbloop::apiserver
