#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/kube/status.h"

// The parts of metadata that belong to the server.
namespace usbloop::apiserver {

/// generateName's five random characters appended, as Kubernetes chooses them.
std::string generated_name(const std::string& prefix);

/// Gives a new object uid, creationTimestamp and generation, and drops what a client may not set.
void stamp_new(nlohmann::json& object, const std::string& now);

/// Carries the server's own fields of `current` over into a changed object, and counts the generation up when anything
/// but metadata and status is different.
void carry_over(nlohmann::json& object, const nlohmann::json& current);

bool is_being_deleted(const nlohmann::json& object);
bool has_finalizers(const nlohmann::json& object);
bool has_finalizer(const nlohmann::json& object, const std::string& name);
/// Adds the finalizer once.
void add_finalizer(nlohmann::json& object, const std::string& name);
void remove_finalizer(nlohmann::json& object, const std::string& name);

/// metadata.resourceVersion or "".
std::string resource_version(const nlohmann::json& object);

}  // namespace usbloop::apiserver
