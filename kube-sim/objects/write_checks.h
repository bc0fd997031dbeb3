#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "common/kube/status.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/resource.h"

// What is asked of each object that is written, beside the rules of its kind.
namespace usbloop::apiserver {

/// Fills in kind and apiVersion; they may be absent but not different.
std::optional<kube::Status> settle_type(const Resource& resource, nlohmann::json& object);
/// The object's own namespace must be that of the request or absent.
std::optional<kube::Status> settle_namespace(const Resource& resource, const std::string& namespace_,
                                             nlohmann::json& object);
std::optional<kube::Status> refuse_invalid(const Resource& resource, const nlohmann::json& object);
kube::Status missing_object(const Resource& resource, const std::string& name);
std::optional<kube::Status> failed_precondition(const Resource& resource, const Object& current,
                                                const DeleteOptions& options);
/// As kube-apiserver's storage says it, path and code included.
kube::Status other_uid(const ResourceInfo& info, const nlohmann::json& current, const std::string& uid);
/// Whoever waits for the end of an object must not be made to wait longer.
std::optional<kube::StatusCause> late_finalizer(const nlohmann::json& object, const nlohmann::json& current);

}  // namespace usbloop::apiserver
