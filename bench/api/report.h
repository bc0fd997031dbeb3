#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "bench/api/measure.h"

namespace usbloop::bench {

/// Everything, with `growth` (exponents over the numbers of VMIs: 1 is linear), `growth_with_watchers`, `kib_per_vmi`
/// (slopes) and `ratios` (most VMIs divided by fewest, of what should not depend on them).
nlohmann::json api_json(const ApiResults& results, const ApiOptions& options);

void print_api_tables(std::ostream& out, const ApiResults& results);

}  // namespace usbloop::bench
