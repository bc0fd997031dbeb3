#include "kube-sim/controllers/control_loop.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "common/log.h"

namespace usbloop::apiserver {
namespace {

using namespace std::chrono_literals;

/// Between two looks at what was written: an index should not be much older than the keys that are worked on.
constexpr std::size_t kKeysAtOnce = 64;
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr std::chrono::milliseconds kPauseAfterFailure{1'000};

std::chrono::milliseconds pause_after(unsigned failures) {
  return std::min(kLongestPause, 10ms * (1U << std::min(failures, 12U)));
}

}  // namespace

ControlLoop::ControlLoop(std::string name, Store& store, WatchHub& hub, Work work)
    : name_(std::move(name)), store_(store), hub_(hub), work_(std::move(work)) {
  for (const std::string& resource : work_.resources) {
    subscriptions_.emplace(resource, hub_.subscribe(resource, [this] { wake(); }));
  }
  thread_ = std::thread([this] { run(); });
}

ControlLoop::~ControlLoop() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void ControlLoop::wake() {
  const std::scoped_lock lock(mutex_);
  dirty_ = true;
  changed_.notify_one();
}

bool ControlLoop::stopping() {
  const std::scoped_lock lock(mutex_);
  return stop_;
}

void ControlLoop::add(const Key& key) {
  if (queued_.insert(key).second) ready_.push_back(key);
}

void ControlLoop::add_after(const Key& key, std::chrono::milliseconds delay) {
  const auto when = Clock::now() + delay;
  const auto [entry, is_new] = delayed_.emplace(key, when);
  if (!is_new) {
    if (entry->second <= when) return;
    due_.erase({entry->second, key});
    entry->second = when;
  }
  due_.emplace(when, key);
}

void ControlLoop::run() {
  bool listed = false;
  while (!stopping()) {
    try {
      if (!listed) list_all();
      listed = true;
      read_events();
      move_due_keys();
      work_on_keys();
      if (ready_.empty() && to_follow_.empty()) wait();
    } catch (const std::exception& error) {
      // Out of memory, in between: what has been read may be half noted down.
      spdlog::error("{}: {}; it begins anew", name_, error.what());
      listed = false;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kPauseAfterFailure, [this] { return stop_; });
    }
  }
}

void ControlLoop::wait() {
  std::unique_lock lock(mutex_);
  const auto woken = [this] { return dirty_ || stop_; };
  if (due_.empty()) {
    changed_.wait(lock, woken);
  } else {
    changed_.wait_until(lock, due_.begin()->first, woken);
  }
  dirty_ = false;
}

void ControlLoop::list_all() {
  work_.forget();
  for (const std::string& resource : work_.resources) list(resource);
}

void ControlLoop::list(const std::string& resource) {
  const Store::Listing listing = store_.list(resource, "");
  cursors_[resource] = listing.version;
  for (const ObjectPtr& object : listing.objects) work_.observe({EventType::added, object, nullptr});
}

void ControlLoop::follow(const std::string& resource) {
  to_leave_.erase(resource);
  to_follow_.insert(resource);
}

void ControlLoop::leave(const std::string& resource) {
  to_follow_.erase(resource);
  to_leave_.insert(resource);
}

/// Not while the resources are gone through.
void ControlLoop::settle_resources() {
  for (const std::string& resource : std::exchange(to_leave_, {})) {
    std::erase(work_.resources, resource);
    subscriptions_.erase(resource);
    cursors_.erase(resource);
  }
  for (const std::string& resource : std::exchange(to_follow_, {})) {
    const bool is_new = subscriptions_.emplace(resource, hub_.subscribe(resource, [this] { wake(); })).second;
    if (!is_new) continue;
    work_.resources.push_back(resource);
    list(resource);
  }
}

void ControlLoop::read_events() {
  settle_resources();
  for (const std::string& resource : work_.resources) {
    std::uint64_t& cursor = cursors_[resource];
    while (true) {
      const WatchHub::Batch batch = hub_.read(resource, cursor, WatchHub::kEventsAtOnce);
      if (batch.expired) return list_all();
      for (const Event& event : batch.events) work_.observe(event);
      cursor = std::max(cursor, batch.current);
      if (batch.events.size() < WatchHub::kEventsAtOnce) break;
    }
  }
}

void ControlLoop::move_due_keys() {
  const auto now = Clock::now();
  while (!due_.empty() && due_.begin()->first <= now) {
    const Key key = due_.begin()->second;
    due_.erase(due_.begin());
    delayed_.erase(key);
    add(key);
  }
}

void ControlLoop::work_on_keys() {
  for (std::size_t i = 0; i < kKeysAtOnce && !ready_.empty(); ++i) {
    const Key key = std::move(ready_.front());
    ready_.pop_front();
    queued_.erase(key);
    work_on(key);
  }
}

void ControlLoop::work_on(const Key& key) {
  Next next;
  try {
    next = work_.reconcile(key);
  } catch (const std::exception& error) {
    spdlog::error("{}: {} {}/{}: {}", name_, key.resource, key.namespace_, key.name, error.what());
    next.failed = true;
  }
  if (next.failed) {
    const unsigned count = ++failures_[key];
    if (count == 1) spdlog::debug("{}: {} {}/{} is tried again", name_, key.resource, key.namespace_, key.name);
    return add_after(key, pause_after(count));
  }
  failures_.erase(key);
  if (next.again) add_after(key, *next.again);
}

}  // namespace usbloop::apiserver
