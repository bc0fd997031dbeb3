#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace usbloop::launcher {

/// Keys to be worked on. A key that is added again before it is taken is there once. A key that is added while it is
/// worked on comes again afterwards, and never runs on two threads at a time. Thread-safe.
class WorkQueue {
 public:
  using Clock = std::chrono::steady_clock;

  void add(const std::string& key);
  /// The earliest of several delays counts. add() does not take a delay back: the key then comes twice.
  void add_after(const std::string& key, std::chrono::milliseconds delay);

  /// Waits for a key; nothing when stop is requested. done() must follow.
  std::optional<std::string> take(const std::stop_token& stop);
  void done(const std::string& key);

 private:
  void make_ready(const std::string& key);
  void wake_delayed(Clock::time_point now);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::string> ready_;
  std::set<std::string> waiting_;  ///< in ready_, or to be put there when they are done
  std::set<std::string> in_work_;
  std::map<std::string, Clock::time_point> delayed_;
};

}  // namespace usbloop::launcher
