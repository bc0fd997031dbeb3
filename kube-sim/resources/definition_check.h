#pragma once

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {

/// Why no kind can be made of a CustomResourceDefinition, which has a spec; empty when one can.
Causes definition_faults(const nlohmann::json& definition);

}  // namespace usbloop::apiserver
