#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "kube-sim/rest/selectors.h"

namespace usbloop::apiserver {

/// The requirements of a label selector, "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>5"; keys and values have to be such.
/// The error is the text for the client, in the words of Kubernetes' own parser.
tl::expected<std::vector<Requirement>, std::string> parse_label_requirements(std::string_view text);

}  // namespace usbloop::apiserver
