#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace usbloop::device_sim {

using Time = std::chrono::steady_clock::time_point;

/// Wakes somebody at a time. Has a thread of its own from the first time that is set. Thread rule: one thread uses it,
/// but for ring(); the wake comes from another one.
class Alarm {
 public:
  Alarm() = default;
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// What is called, and must only schedule a look; null for nothing. The one before is not called any more when this
  /// returns.
  void set_wake(std::function<void()> wake);

  /// Wakes once at `when`, at once when that is over. It takes the place of the time before; nothing: no time.
  void set(std::optional<Time> when);

  /// Wakes now, whatever the time. From any thread.
  void ring();

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Time> when_;
  std::function<void()> wake_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace usbloop::device_sim
