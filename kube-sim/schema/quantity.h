#pragma once

#include <string_view>

namespace usbloop::apiserver {

/// What a quantity looks like, as the API server publishes and cites it.
inline constexpr const char* kQuantityPattern =
    R"(^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$)";

/// Whether the text is a Kubernetes quantity ("256Mi", "1.5Gi", "100m", "1e3").
bool is_quantity(std::string_view text);

}  // namespace usbloop::apiserver
