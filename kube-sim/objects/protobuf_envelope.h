#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/schema/schema_set.h"

namespace usbloop::apiserver {

/// The object in Kubernetes' protobuf envelope (wire.md section 5), of a kind whose fields have numbers in its schema
/// file. Other kinds: 415. The bytes are hostile: broken ones are refused with 400, and so are fields without a number.
tl::expected<nlohmann::json, kube::Status> decode_protobuf_envelope(std::string_view bytes, const SchemaSet& schemas);

}  // namespace usbloop::apiserver
