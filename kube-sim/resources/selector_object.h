#pragma once

#include <nlohmann/json_fwd.hpp>

namespace usbloop::apiserver {

/// Whether labels (a map of texts) fit a LabelSelector, as objects hold one. An empty selector fits all. For the
/// selectors of requests, which are texts: rest/selectors.h.
bool selector_fits(const nlohmann::json& selector, const nlohmann::json& labels);

}  // namespace usbloop::apiserver
