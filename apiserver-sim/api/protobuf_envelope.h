#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <tl/expected.hpp>

#include "common/kube/status.h"

namespace usbloop::apiserver {

/// The object in Kubernetes' protobuf envelope (wire.md section 5), for the kinds that kubectl sends so: Namespace, the
/// three self reviews, DeleteOptions. Other kinds: 415.
tl::expected<nlohmann::json, kube::Status> decode_protobuf_envelope(std::string_view bytes);

}  // namespace usbloop::apiserver
