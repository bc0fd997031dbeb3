#pragma once

#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <thread>

#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// How long VMIs take from phase to phase, as virt-controller measures it from their status:
/// kubevirt_vmi_phase_transition_time_seconds and its two sisters. Follows the store's history in a thread of its own.
class PhaseMetrics {
 public:
  /// All outlive this object.
  PhaseMetrics(const Store& store, WatchHub& hub, prometheus::Registry& registry);
  ~PhaseMetrics();
  PhaseMetrics(const PhaseMetrics&) = delete;
  PhaseMetrics& operator=(const PhaseMetrics&) = delete;

 private:
  void run();
  void read_events();
  void note(const nlohmann::json& vmi, const nlohmann::json& before);

  const WatchHub& hub_;
  prometheus::Family<prometheus::Histogram>& transition_;
  prometheus::Family<prometheus::Histogram>& from_creation_;
  prometheus::Family<prometheus::Histogram>& from_deletion_;
  std::uint64_t cursor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool dirty_ = false;
  bool stopping_ = false;
  WatchHub::Subscription events_;
  std::thread thread_;
};

}  // namespace usbloop::apiserver
