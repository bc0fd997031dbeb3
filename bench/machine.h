#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/statistics.h"

namespace usbloop::bench {

/// What the figures were taken on: processors, their model, memory, kernel, libssl.
nlohmann::json machine_facts();

/// {"median", "low", "high"}, rounded to four digits.
nlohmann::json json_of(const Spread& spread);
/// To four significant digits: more would be noise.
double rounded(double value);

/// "12.3 [10.1-15.0]" with as many digits as make sense.
std::string text_of(const Spread& spread);
std::string text_of(double value);

/// What share of the machine others used, and whether the figures are therefore indicative only.
std::string others_text(const Spread& share);

}  // namespace usbloop::bench
