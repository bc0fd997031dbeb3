#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "bench/scale/measure.h"

namespace usbloop::bench {

/// Everything, with `ratios` (scale_round_trips, scale_p99: our road divided by the floor, medians over the rounds;
/// greedy_p99: quiet sessions beside a greedy one divided by the same alone), `kib_per_session` (slopes over the
/// stages) and `growth` (exponents over the stages: 1 is linear).
nlohmann::json scale_json(const ScaleResults& results, const ScaleOptions& options);

void print_scale_tables(std::ostream& out, const ScaleResults& results, const ScaleOptions& options);

}  // namespace usbloop::bench
