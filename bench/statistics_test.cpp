#include "bench/statistics.h"

#include <doctest/doctest.h>

using namespace usbloop::bench;

TEST_CASE("percentiles lie between the values, and there are none of nothing") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({1, 2}) == doctest::Approx(1.5));
  CHECK(percentile({10, 20, 30, 40, 50}, 0.9) == doctest::Approx(46));
  CHECK(percentile({}, 0.5) == 0);
  const Spread spread = spread_of({5, 1, 9});
  CHECK(spread.median == 5);
  CHECK(spread.low == 1);
  CHECK(spread.high == 9);
}

TEST_CASE("ratios are paired by round") { CHECK(divided({2, 6, 7}, {1, 3}) == std::vector<double>{2, 2}); }

TEST_CASE("the exponent of growth is 1 for a line, 2 for a square and 0 for what stays") {
  const std::vector<double> x = {100, 300, 1000};
  CHECK(growth_exponent(x, {7 * 100, 7 * 300, 7 * 1000}) == doctest::Approx(1));
  CHECK(growth_exponent(x, {100 * 100, 300 * 300, 1000 * 1000}) == doctest::Approx(2));
  CHECK(growth_exponent(x, {5, 5, 5}) == doctest::Approx(0));
  CHECK(slope(x, {10 + 2 * 100, 10 + 2 * 300, 10 + 2 * 1000}) == doctest::Approx(2));
}
