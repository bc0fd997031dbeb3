#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kube-sim/store/object.h"

namespace usbloop::apiserver {

/// The latest writes of each resource. Watchers follow with a cursor of their own. The history is bounded: a watcher
/// that falls behind its start is told so and must list again. Nothing is buffered per watcher. Thread-safe.
class WatchHub {
 public:
  /// `capacity`: events kept per resource.
  explicit WatchHub(std::size_t capacity) : capacity_(capacity) {}

  struct Batch {
    std::vector<Event> events;  ///< versions ascending
    bool expired = false;       ///< events after the cursor are already forgotten
    std::uint64_t current = 0;  ///< version of the last write of any resource that this batch takes into account
  };
  /// What those that follow read at a time.
  static constexpr std::size_t kEventsAtOnce = 256;
  /// The events of `resource` after version `cursor`, at most `limit`.
  Batch read(const std::string& resource, std::uint64_t cursor, std::size_t limit) const;

  /// Declares that the history begins after `version`: whatever happened up to it is forgotten.
  void begin_at(std::uint64_t version);
  /// Adds an event; versions must ascend. Its subscribers are woken by wake().
  void record(Event event);
  void wake(const std::string& resource) const;
  /// Both.
  void publish(Event event);

  /// Calls `wake` after each event of `resource`, on the writer's thread, until the subscription is destroyed.
  /// `wake` must be quick and must not call the hub.
  class Subscription;
  [[nodiscard]] Subscription subscribe(const std::string& resource, std::function<void()> wake);

 private:
  struct History {
    std::deque<Event> events;
    std::uint64_t forgotten = 0;  ///< version of the newest event that was dropped
    std::list<std::function<void()>> wakes;
  };
  History& history_of(const std::string& resource);

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::map<std::string, History> histories_;
  std::uint64_t begin_ = 0;
  std::uint64_t current_ = 0;
};

/// Move-only; ends the calls when destroyed. Must not outlive the hub.
class WatchHub::Subscription {
 public:
  Subscription() = default;
  Subscription(WatchHub* hub, std::string resource, std::list<std::function<void()>>::iterator at)
      : hub_(hub), resource_(std::move(resource)), at_(at) {}
  Subscription(Subscription&& other) noexcept
      : hub_(std::exchange(other.hub_, nullptr)), resource_(std::move(other.resource_)), at_(other.at_) {}
  Subscription& operator=(Subscription&&) = delete;
  ~Subscription();

 private:
  WatchHub* hub_ = nullptr;
  std::string resource_;
  std::list<std::function<void()>>::iterator at_;
};

}  // namespace usbloop::apiserver
