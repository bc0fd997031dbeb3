#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>

#include "bench/relay/measure.h"

namespace usbloop::bench {

/// Everything, with the object `ratios`: our road (as it comes) divided by the floor, unpinned, medians over the
/// rounds.
nlohmann::json relay_json(const RelayResults& results, const RelayOptions& options);

/// Tables for people.
void print_relay_tables(std::ostream& out, const RelayResults& results, const RelayOptions& options);

/// The round-trip times against the message size, one line a road, as an SVG that is legible on light and dark ground.
std::string relay_plot(const RelayResults& results, const RelayOptions& options);

}  // namespace usbloop::bench
