#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kube-sim/resources/resource.h"

// Members of RBAC's objects, whose defaults are written in only after they have been checked: what the schema requires
// of a stored object may still be absent here.
namespace usbloop::apiserver::rbac {

/// The member, or null when it is absent; one of another type is a cause, and null.
const nlohmann::json* array_in(const nlohmann::json& object, const char* name, const std::string& path, Causes& causes);
const nlohmann::json* object_in(const nlohmann::json& object, const char* name, const std::string& path,
                                Causes& causes);
/// A cause for each of the members that is there and is no string.
void check_strings(const nlohmann::json& object, std::initializer_list<const char*> names, const std::string& path,
                   Causes& causes);

}  // namespace usbloop::apiserver::rbac
