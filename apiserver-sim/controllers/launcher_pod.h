#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace usbloop::apiserver {

/// The virt-launcher pod of a VMI, to be created: labels, owner, and what it asks of its node. wire.md section 14.
nlohmann::json launcher_pod(const nlohmann::json& vmi);

/// "usbloop/virt-launcher:VERSION"
std::string launcher_image();

}  // namespace usbloop::apiserver
