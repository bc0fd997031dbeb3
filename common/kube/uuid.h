#pragma once

#include <string>

namespace usbloop::kube {

/// A random UUID (RFC 4122 version 4), in lower case. Throws std::runtime_error where there is no randomness.
std::string random_uuid();

}  // namespace usbloop::kube
