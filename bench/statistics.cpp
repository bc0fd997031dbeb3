#include "bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace usbloop::bench {

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
}

double median(const std::vector<double>& values) { return percentile(values, 0.5); }

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {median(values), *low, *high};
}

std::vector<double> divided(const std::vector<double>& values, const std::vector<double>& by) {
  std::vector<double> result;
  for (std::size_t i = 0; i < std::min(values.size(), by.size()); ++i) {
    if (by[i] > 0) result.push_back(values[i] / by[i]);
  }
  return result;
}

double slope(const std::vector<double>& x, const std::vector<double>& y) {
  const std::size_t count = std::min(x.size(), y.size());
  double sum_x = 0;
  double sum_y = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum_x += x[i];
    sum_y += y[i];
  }
  double above = 0;
  double below = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double dx = x[i] - sum_x / static_cast<double>(count);
    above += dx * (y[i] - sum_y / static_cast<double>(count));
    below += dx * dx;
  }
  return below > 0 ? above / below : 0;
}

double growth_exponent(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> log_x;
  std::vector<double> log_y;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (x[i] <= 0 || y[i] <= 0) continue;
    log_x.push_back(std::log(x[i]));
    log_y.push_back(std::log(y[i]));
  }
  return slope(log_x, log_y);
}

}  // namespace usbloop::bench
