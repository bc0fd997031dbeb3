#include "apiserver-sim/metrics/phase_metrics.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apiserver-sim/kinds/vmi.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Family = prometheus::Family<prometheus::Histogram>;

/// KubeVirt's, in seconds: half a second to an hour.
const prometheus::Histogram::BucketBoundaries kTimes = {0.5, 1,  2,   5,   10,  20,  30,   40,   50,
                                                        60,  90, 120, 180, 300, 600, 1200, 1800, 3600};

Family& histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

std::optional<std::int64_t> time_of_phase(const json& vmi, const std::string& phase) {
  const json* times = element_at(vmi, "/status/phaseTransitionTimestamps");
  if (times == nullptr || !times->is_array()) return std::nullopt;
  for (const json& entry : *times) {
    if (text_at(entry, "/phase") == phase) return parse_time(text_at(entry, "/phaseTransitionTimestamp"));
  }
  return std::nullopt;
}

/// A status may say anything: only known phases become labels.
bool is_phase(const std::string& phase) {
  for (const char* known : {"Pending", "Scheduling", "Scheduled", "Running", "Succeeded", "Failed", "Unknown"}) {
    if (phase == known) return true;
  }
  return false;
}

void observe(Family& family, const prometheus::Labels& labels, std::optional<std::int64_t> from, std::int64_t to) {
  if (from && to >= *from) family.Add(labels, kTimes).Observe(static_cast<double>(to - *from));
}

}  // namespace

PhaseMetrics::PhaseMetrics(const Store& store, WatchHub& hub, prometheus::Registry& registry)
    : hub_(hub),
      transition_(histogram(registry, "kubevirt_vmi_phase_transition_time_seconds",
                            "Seconds from a VMI's last phase to this one.")),
      from_creation_(histogram(registry, "kubevirt_vmi_phase_transition_time_from_creation_seconds",
                               "Seconds from a VMI's creation to this phase.")),
      from_deletion_(histogram(registry, "kubevirt_vmi_phase_transition_time_from_deletion_seconds",
                               "Seconds from a VMI's deletion to this phase.")),
      cursor_(store.version()),
      events_(hub.subscribe(kVmiResource,
                            [this] {
                              const std::scoped_lock lock(mutex_);
                              dirty_ = true;
                              changed_.notify_one();
                            })),
      thread_([this] { run(); }) {}

PhaseMetrics::~PhaseMetrics() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void PhaseMetrics::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return dirty_ || stopping_; });
    if (stopping_) return;
    dirty_ = false;
    lock.unlock();
    try {
      read_events();
    } catch (const std::exception& error) {
      spdlog::warn("metrics: a VMI cannot be read: {}", error.what());
    }
    lock.lock();
  }
}

void PhaseMetrics::read_events() {
  while (true) {
    const WatchHub::Batch batch = hub_.read(kVmiResource, cursor_, WatchHub::kEventsAtOnce);
    cursor_ = batch.current;
    for (const Event& event : batch.events) {
      if (event.type == EventType::modified) note(event.object->parse(), event.previous->parse());
    }
    if (batch.events.size() < WatchHub::kEventsAtOnce) return;
  }
}

void PhaseMetrics::note(const json& vmi, const json& before) {
  const std::string phase = text_at(vmi, "/status/phase");
  const std::string last = text_at(before, "/status/phase");
  if (phase == last || !is_phase(phase)) return;
  const auto now = time_of_phase(vmi, phase);
  if (!now) return;
  const auto creation = parse_time(text_at(vmi, "/metadata/creationTimestamp"));
  observe(from_creation_, {{"phase", phase}}, creation, *now);
  if (last.empty() || is_phase(last)) {
    const auto from = last.empty() ? creation : time_of_phase(vmi, last);
    observe(transition_, {{"phase", phase}, {"last_phase", last}}, from, *now);
  }
  const bool final = phase == "Succeeded" || phase == "Failed";
  const std::string deletion = text_at(vmi, "/metadata/deletionTimestamp");
  if (final && !deletion.empty()) observe(from_deletion_, {{"phase", phase}}, parse_time(deletion), *now);
}

}  // namespace usbloop::apiserver
