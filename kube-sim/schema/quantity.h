#pragma once

#include <string_view>

namespace usbloop::apiserver {

/// Whether the text is a Kubernetes quantity ("256Mi", "1.5Gi", "100m", "1e3").
bool is_quantity(std::string_view text);

}  // namespace usbloop::apiserver
