#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "apiserver-sim/resources/resource.h"

namespace usbloop::apiserver {

/// RFC 1123: lower case alphanumerics, '-' (and '.' in a subdomain); begins and ends with an alphanumeric.
bool is_dns_label(std::string_view name);
bool is_dns_subdomain(std::string_view name);

/// "prefix/name" or "name", as label and annotation keys are.
bool is_qualified_name(std::string_view name);
bool is_label_value(std::string_view value);

/// Checks name, namespace, generateName, labels, annotations, finalizers of an object's metadata and that they have
/// the right types. The name may be absent while generateName is given.
Causes validate_metadata(const nlohmann::json& object, bool namespaced);

}  // namespace usbloop::apiserver
