#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <tl/expected.hpp>

#include "common/kube/status.h"

namespace usbloop::apiserver {

/// The object in Kubernetes' protobuf envelope (wire.md section 5), for the kinds that protobuf_kinds.h knows. Other
/// kinds: 415. The bytes are hostile: broken ones are refused with 400.
tl::expected<nlohmann::json, kube::Status> decode_protobuf_envelope(std::string_view bytes);

}  // namespace usbloop::apiserver
