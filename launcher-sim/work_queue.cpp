#include "launcher-sim/work_queue.h"

#include <algorithm>

namespace usbloop::launcher {

void WorkQueue::add(const std::string& key) {
  const std::lock_guard lock(mutex_);
  make_ready(key);
}

void WorkQueue::add_after(const std::string& key, std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  const auto when = Clock::now() + delay;
  const auto [entry, is_new] = delayed_.emplace(key, when);
  if (!is_new) entry->second = std::min(entry->second, when);
  changed_.notify_all();
}

void WorkQueue::make_ready(const std::string& key) {
  if (!waiting_.insert(key).second || in_work_.contains(key)) return;
  ready_.push_back(key);
  changed_.notify_one();
}

void WorkQueue::wake_delayed(Clock::time_point now) {
  for (auto entry = delayed_.begin(); entry != delayed_.end();) {
    if (entry->second > now) {
      ++entry;
      continue;
    }
    make_ready(entry->first);
    entry = delayed_.erase(entry);
  }
}

std::optional<std::string> WorkQueue::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_delayed(Clock::now());
    if (!ready_.empty()) {
      std::string key = std::move(ready_.front());
      ready_.pop_front();
      waiting_.erase(key);
      in_work_.insert(key);
      return key;
    }
    const auto changed = [this] { return !ready_.empty(); };
    if (delayed_.empty()) {
      changed_.wait(lock, stop, [&] { return changed() || !delayed_.empty(); });
      continue;
    }
    const auto first = std::min_element(delayed_.begin(), delayed_.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto when = first->second;
    changed_.wait_until(lock, stop, when, [&] {
      // Also when an earlier delay has come in meanwhile.
      return changed() ||
             std::any_of(delayed_.begin(), delayed_.end(), [&](const auto& entry) { return entry.second < when; });
    });
  }
  return std::nullopt;
}

void WorkQueue::done(const std::string& key) {
  const std::lock_guard lock(mutex_);
  in_work_.erase(key);
  if (!waiting_.contains(key)) return;
  ready_.push_back(key);
  changed_.notify_one();
}

}  // namespace usbloop::launcher
