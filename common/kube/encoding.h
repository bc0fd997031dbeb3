#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace usbloop::kube {

/// Standard base64 with padding, on one line.
std::string base64_encode(std::string_view bytes);

/// Accepts line breaks between the characters, as kubeconfig files folded by hand have them. Nothing when it is not
/// base64.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace usbloop::kube
