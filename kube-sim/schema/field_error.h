#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/kube/status.h"

// Why a field was refused, in the words of Kubernetes' own validation.
namespace usbloop::apiserver::field {

/// "Required value: DETAIL"
kube::StatusCause required(std::string field, std::string_view detail = {});
/// `Invalid value: VALUE: DETAIL`; the value is shown as JSON.
kube::StatusCause invalid(std::string field, const nlohmann::json& value, std::string_view detail);
/// The value has the wrong type: `Invalid value: "TYPE": FIELD in body must be of type EXPECTED: "TYPE"`.
kube::StatusCause wrong_type(std::string field, const nlohmann::json& value, std::string_view expected);
/// `Unsupported value: SHOWN: supported values: "A", "B"`
kube::StatusCause not_supported(std::string field, std::string_view shown,
                                const std::vector<std::string_view>& supported);
kube::StatusCause forbidden(std::string field, std::string_view detail);
kube::StatusCause too_long(std::string field, std::size_t most_bytes);
kube::StatusCause too_many(std::string field, std::size_t count, std::size_t most);

/// The value as it is quoted in a message.
std::string shown(const nlohmann::json& value);
/// How long a text is: its characters, not its bytes.
std::size_t length_of(std::string_view text);
/// The text in double quotes, as Go's %q writes it.
std::string quoted(std::string_view text);

}  // namespace usbloop::apiserver::field
