#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// RFC 1123: lower case alphanumerics, '-' (and '.' in a subdomain); begins and ends with an alphanumeric.
bool is_dns_label(std::string_view name);
bool is_dns_subdomain(std::string_view name);

/// "prefix/name" or "name", as label and annotation keys are.
bool is_qualified_name(std::string_view name);
bool is_label_value(std::string_view value);

/// What is wrong with such a text, in Kubernetes' words; empty when nothing is.
std::vector<std::string> qualified_name_faults(std::string_view name);
std::vector<std::string> label_value_faults(std::string_view value);
std::vector<std::string> dns_label_faults(std::string_view name);
std::vector<std::string> dns_subdomain_faults(std::string_view name);

/// Why an object that is named by a path segment and by no rule of DNS (RBAC's are) cannot have this name; else empty.
std::string path_segment_fault(std::string_view name);

}  // namespace usbloop::apiserver
