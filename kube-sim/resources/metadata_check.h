#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

// Checks of an object's metadata, in the words of kube-apiserver.
/// Checks name, namespace, generateName, labels, annotations, finalizers and owner references of an object's metadata
/// and that they have the right types. The name may be absent while generateName is given.
Causes validate_metadata(const nlohmann::json& object, const ResourceInfo& info);

// Its parts beside the name. What is wrong is added to `causes`.
/// Labels, and annotations, which may have 256 KiB together.
void check_metadata_maps(const nlohmann::json& metadata, Causes& causes);
void check_finalizers(const nlohmann::json& metadata, Causes& causes);
void check_owner_references(const nlohmann::json& metadata, Causes& causes);

}  // namespace usbloop::apiserver
