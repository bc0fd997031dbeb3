#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <thread>

#include "apiserver-sim/api/object_writer.h"
#include "apiserver-sim/resources/registry.h"
#include "apiserver-sim/store/store.h"

namespace usbloop::apiserver {

/// A node whose heartbeat is older takes no VMI and counts as not ready.
inline constexpr std::int64_t kHeartbeatSeconds = 40;

/// Whether the node is Ready, has a fresh heartbeat, may be scheduled to, and its labels fit the VMI's nodeSelector.
bool node_fits(const nlohmann::json& node, const nlohmann::json& vmi, std::int64_t now);

/// Gives each VMI without a node one that fits, the one with the fewest VMIs first; and tells of nodes that have fallen
/// silent by setting their Ready condition to Unknown. One thread of its own.
class Scheduler {
 public:
  Scheduler(const Registry& registry, Store& store, WatchHub& hub);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

 private:
  void run();
  /// Takes note of what happened to VMIs since the last call.
  void read_vmis();
  void list_vmis();
  void note(const Object& vmi, bool gone);
  void place_pending();
  bool place(const Key& key);
  std::string choose_node(const nlohmann::json& vmi) const;
  void mark_silent_nodes();

  const Registry& registry_;
  Store& store_;
  WatchHub& hub_;
  ObjectWriter writer_;
  std::uint64_t cursor_ = 0;
  std::set<Key> pending_;              ///< VMIs without a node
  std::map<Key, std::string> placed_;  ///< node of each VMI that is not over
  std::mutex mutex_;
  std::condition_variable changed_;
  bool dirty_ = true;
  bool stopping_ = false;
  WatchHub::Subscription vmi_events_;
  WatchHub::Subscription node_events_;
  std::thread thread_;
};

}  // namespace usbloop::apiserver
