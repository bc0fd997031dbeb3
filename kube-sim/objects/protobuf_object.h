#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "kube-sim/schema/schema.h"

namespace usbloop::apiserver {

/// Reads a protobuf message into the object, as JSON would have it: the schema's fields have the numbers of Kubernetes'
/// messages. The error is a text for the client: bytes that are no such message, and fields with something in them that
/// the schema gives no number. The bytes are hostile; the depth is bounded.
tl::expected<void, std::string> read_protobuf(std::string_view bytes, const Schema& schema, nlohmann::json& object);

}  // namespace usbloop::apiserver
