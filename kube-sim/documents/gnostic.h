#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace usbloop::apiserver {

/// An OpenAPI v2 document as the protobuf message Document of gnostic (openapiv2/OpenAPIv2.proto), which is the form
/// that kubectl reads. Takes what our documents hold: info, paths with operations and parameters, definitions.
std::string gnostic_v2(const nlohmann::ordered_json& document);

}  // namespace usbloop::apiserver
