#pragma once

#include <string>
#include <vector>

#include "kube-sim/documents/api_groups.h"
#include "kube-sim/request/http_types.h"

// All groups with all their resources in one document: apidiscovery.k8s.io. wire.md section 2.
namespace usbloop::apiserver {

/// The version of the aggregated document ("v2", "v2beta1") that the first usable entry of an Accept header asks for;
/// empty when it asks for the legacy document. A client must never get a version that it did not name.
std::string wanted_aggregation(const std::string& accept);

/// `core`: the document at /api, which has only the core group; else the one at /apis, which has the others. 304 when
/// the client has it already.
Response answer_aggregated(const std::vector<ApiGroup>& groups, bool core, const std::string& version,
                           const Request& request);

}  // namespace usbloop::apiserver
