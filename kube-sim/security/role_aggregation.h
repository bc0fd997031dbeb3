#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "common/error.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Writes into each ClusterRole with an aggregationRule the rules of the ClusterRoles that it selects by label, until
/// nothing changes any more (aggregated roles may select each other).
Result<> aggregate_roles(const Registry& registry, Store& store);

/// Does that whenever a ClusterRole changes. One thread of its own.
class RoleAggregator {
 public:
  RoleAggregator(const Registry& registry, Store& store, WatchHub& hub);
  ~RoleAggregator();
  RoleAggregator(const RoleAggregator&) = delete;
  RoleAggregator& operator=(const RoleAggregator&) = delete;

 private:
  void run();

  const Registry& registry_;
  Store& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool dirty_ = true;
  bool stopping_ = false;
  WatchHub::Subscription events_;
  std::thread thread_;
};

}  // namespace usbloop::apiserver
