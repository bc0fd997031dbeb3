#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/kube/status.h"
#include "kube-sim/schema/schema.h"

// What a schema says about an object. Nulls count as absent, as they do for KubeVirt's webhooks, which read and write
// the object before it is validated. The trees may be hostile: results are bounded; depth is bounded by the reader.
namespace usbloop::apiserver {

/// No more findings than these are listed, as in Kubernetes' own decoder.
inline constexpr std::size_t kMaxFindings = 100;

/// What is wrong, in the words of the API server's validation of custom resources; empty when the object is fine.
std::vector<kube::StatusCause> violations(const Schema& schema, const nlohmann::json& object);

/// Paths of the fields that the schema does not have, as `fieldValidation` reports them:
/// "spec.domain.devices.disks[0].nmae". In the order of the object.
std::vector<std::string> unknown_fields(const Schema& schema, const nlohmann::json& object);

/// Takes those fields out, as the API server does with what it does not know. `kind`, `apiVersion` and everything
/// below open objects stay.
void prune_unknown_fields(const Schema& schema, nlohmann::json& object);

}  // namespace usbloop::apiserver
