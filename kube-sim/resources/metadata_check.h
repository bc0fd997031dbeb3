#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

// Checks of an object's metadata beside its name, in the words of kube-apiserver. What is wrong is added to `causes`.
/// Labels, and annotations, which may have 256 KiB together.
void check_metadata_maps(const nlohmann::json& metadata, Causes& causes);
void check_finalizers(const nlohmann::json& metadata, Causes& causes);
void check_owner_references(const nlohmann::json& metadata, Causes& causes);

}  // namespace usbloop::apiserver
