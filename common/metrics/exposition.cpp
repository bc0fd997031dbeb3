#include "common/metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include <iterator>
#include <map>
#include <utility>

namespace usbloop::metrics {
namespace {

prometheus::MetricFamily family_of(std::string name, std::string help, prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

}  // namespace

std::string exposition(const std::vector<const prometheus::Collectable*>& collectables) {
  std::map<std::string, prometheus::MetricFamily> by_name;
  for (const prometheus::Collectable* collectable : collectables) {
    if (collectable == nullptr) continue;
    for (prometheus::MetricFamily& family : collectable->Collect()) {
      auto [found, inserted] = by_name.try_emplace(family.name);
      if (inserted) {
        found->second = std::move(family);
        continue;
      }
      auto& samples = found->second.metric;
      samples.insert(samples.end(), std::make_move_iterator(family.metric.begin()),
                     std::make_move_iterator(family.metric.end()));
    }
  }
  std::vector<prometheus::MetricFamily> families;
  families.reserve(by_name.size());
  for (auto& [name, family] : by_name) families.push_back(std::move(family));
  // Its serializer of a whole list takes a stream; this one is the same and answers a string.
  const prometheus::TextSerializer serializer;
  return static_cast<const prometheus::Serializer&>(serializer).Serialize(families);
}

prometheus::MetricFamily gauge_family(std::string name, std::string help) {
  return family_of(std::move(name), std::move(help), prometheus::MetricType::Gauge);
}

prometheus::MetricFamily counter_family(std::string name, std::string help) {
  return family_of(std::move(name), std::move(help), prometheus::MetricType::Counter);
}

void add_sample(prometheus::MetricFamily& family, const prometheus::Labels& labels, double value) {
  prometheus::ClientMetric sample;
  for (const auto& [name, text] : labels) sample.label.push_back({name, text});
  if (family.type == prometheus::MetricType::Counter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
  family.metric.push_back(std::move(sample));
}

}  // namespace usbloop::metrics
