#include "device-sim/emulation/alarm.h"

#include <utility>

namespace usbloop::device_sim {

Alarm::~Alarm() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Alarm::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void Alarm::set(std::optional<Time> when) {
  {
    const std::lock_guard lock(mutex_);
    if (when == when_) return;
    when_ = when;
  }
  if (!thread_.joinable()) {
    if (when) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return;
  }
  changed_.notify_one();
}

void Alarm::ring() {
  const std::lock_guard lock(mutex_);
  if (wake_) wake_();
}

void Alarm::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const std::optional<Time> aim = when_;
    const auto is_new = [&] { return when_ != aim; };
    if (!aim) {
      changed_.wait(lock, stop, is_new);
    } else if (!changed_.wait_until(lock, stop, *aim, is_new) && !stop.stop_requested()) {
      when_.reset();
      if (wake_) wake_();
    }
  }
}

}  // namespace usbloop::device_sim
