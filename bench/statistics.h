#pragma once

#include <cstddef>
#include <vector>

namespace usbloop::bench {

/// The value below which `share` (0 to 1) of the values lie; 0 when there are none.
double percentile(std::vector<double> values, double share);
double median(const std::vector<double>& values);

/// A figure over the rounds of a run.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};
Spread spread_of(const std::vector<double>& values);

/// Element by element; both have one value for each round.
std::vector<double> divided(const std::vector<double>& values, const std::vector<double>& by);

/// The exponent e of y ~ x^e that fits best (least squares of the logarithms): 1 is linear, 0 constant. Needs two
/// points or more with positive values; 0 else.
double growth_exponent(const std::vector<double>& x, const std::vector<double>& y);
/// The slope of the straight line that fits best.
double slope(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace usbloop::bench
