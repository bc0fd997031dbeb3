#pragma once

#include <optional>
#include <string>

#include "apiserver-sim/resources/registry.h"

// The documents from which clients learn what the server has: legacy discovery. wire.md section 2.
namespace usbloop::apiserver {

/// Kubernetes' and KubeVirt's versions as the server says them.
inline constexpr const char* kKubernetesVersion = "v1.32.4";
inline constexpr const char* kKubeVirtVersion = "v1.8.0";

/// The document at a path ("/api", "/apis", "/apis/GROUP", "/apis/GROUP/VERSION", "/version", …), as JSON text; nothing
/// when there is none.
std::optional<std::string> discovery_document(const Registry& registry, const std::string& path);

}  // namespace usbloop::apiserver
