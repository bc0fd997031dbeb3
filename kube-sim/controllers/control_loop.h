#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/kube/status.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// What comes after a look at one key.
struct Next {
  std::optional<std::chrono::milliseconds> again;  ///< look again after this time even if nothing is heard
  bool failed = false;                             ///< look again after a pause that grows with every failure

  static Next done() { return {}; }
  static Next after(std::chrono::milliseconds time) { return {time, false}; }
  /// An object that is gone or was changed meanwhile comes again by itself; all other errors are retried.
  static Next failure(const kube::Status& status) { return {std::nullopt, status.code != 404}; }
};

/// The frame of a controller: one thread that takes note of every write of some resources, and then brings keys into
/// line, one at a time. It is level-triggered: `reconcile` looks at the store and not at what happened. `observe` fills
/// the controller's indexes; it is called for everything that exists before the first key is worked on.
///
/// A key that is added several times is worked on once. Work per write is constant: the controller's indexes tell what
/// a write concerns.
class ControlLoop {
 public:
  struct Work {
    std::vector<std::string> resources;
    /// One write, or (type `added`) one object that exists at the start. Fills indexes and adds keys.
    std::function<void(const Event&)> observe;
    /// Brings one key into line.
    std::function<Next(const Key&)> reconcile;
    /// The history was lost: indexes are to be emptied; everything is observed again.
    std::function<void()> forget;
  };

  /// Starts the thread: make it the last member of its controller. `name` is for the log.
  ControlLoop(std::string name, Store& store, WatchHub& hub, Work work);
  ~ControlLoop();
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;

  // From `observe` and `reconcile` only.
  void add(const Key& key);
  /// Observes a further resource from now on, first what there is of it; or one no more.
  void follow(const std::string& resource);
  void leave(const std::string& resource);
  /// The earliest of several times counts.
  void add_after(const Key& key, std::chrono::milliseconds delay);

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  void wait();
  void wake();
  bool stopping();
  void list_all();
  void list(const std::string& resource);
  void settle_resources();
  void read_events();
  void work_on_keys();
  void work_on(const Key& key);
  void move_due_keys();

  const std::string name_;
  Store& store_;
  WatchHub& hub_;
  Work work_;

  // Of the loop's thread.
  std::map<std::string, std::uint64_t> cursors_;
  std::set<std::string> to_follow_;
  std::set<std::string> to_leave_;
  std::deque<Key> ready_;
  std::set<Key> queued_;  ///< what is in ready_
  std::map<Key, Clock::time_point> delayed_;
  std::set<std::pair<Clock::time_point, Key>> due_;  ///< delayed_ by time
  std::map<Key, unsigned> failures_;                 ///< in a row

  std::mutex mutex_;
  std::condition_variable changed_;
  bool dirty_ = true;
  bool stop_ = false;
  std::map<std::string, WatchHub::Subscription> subscriptions_;  ///< by resource
  std::thread thread_;
};

}  // namespace usbloop::apiserver
