#pragma once

#include <optional>

#include "kube-sim/resources/resource.h"

// The parts of KubeVirt's objects that only KubeVirt writes, whatever right somebody has to edit them.
namespace usbloop::apiserver {

/// KubeVirt's own accounts, and the nodes, which are virt-handler here. Neither its operator nor an administrator.
bool is_kubevirt_component(const User& user);

/// Whether both metadata have the same reserved labels of KubeVirt (the node of a VMI is one).
bool same_reserved_labels(const nlohmann::json& metadata, const nlohmann::json& other);
/// Why a new object of a user may not have these labels, at `path` ("metadata.labels"); empty when it may.
Causes refuse_reserved_labels(const nlohmann::json& metadata, const std::string& path);

}  // namespace usbloop::apiserver
