#pragma once

#include <prometheus/collectable.h>
#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

#include <string>
#include <vector>

// What a scrape is answered with. Counters that live in a prometheus::Registry and values that are looked up at the
// moment of the scrape stand side by side: both are Collectables.
namespace usbloop::metrics {

inline constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

/// All families of the collectables in Prometheus' text format, by name; null pointers are skipped. A family that two
/// of them bring is put together, so that each name has one HELP and one TYPE.
std::string exposition(const std::vector<const prometheus::Collectable*>& collectables);

/// An empty family for values that are looked up.
prometheus::MetricFamily gauge_family(std::string name, std::string help);
prometheus::MetricFamily counter_family(std::string name, std::string help);
/// Adds one sample to a family of either kind.
void add_sample(prometheus::MetricFamily& family, const prometheus::Labels& labels, double value);

}  // namespace usbloop::metrics
