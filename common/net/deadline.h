#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

namespace usbloop::net {

/// Runs `on_expiry` on the executor unless this object is destroyed before the time is over. Lives in one thread's
/// loop. What `on_expiry` refers to must outlive this object, but need not outlive the timer.
class Deadline {
 public:
  template <typename OnExpiry>
  Deadline(const asio::any_io_executor& executor, std::chrono::milliseconds time, OnExpiry on_expiry)
      : timer_(executor), state_(std::make_shared<State>()) {
    timer_.expires_after(time);
    timer_.async_wait([state = state_, on_expiry = std::move(on_expiry)](const asio::error_code& code) {
      if (code || state->disarmed) return;  // cancelling a timer that fired already does not take its handler back
      state->expired = true;
      on_expiry();
    });
  }
  ~Deadline() { state_->disarmed = true; }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  [[nodiscard]] bool expired() const { return state_->expired; }

 private:
  struct State {
    bool disarmed = false;
    bool expired = false;
  };
  asio::steady_timer timer_;
  std::shared_ptr<State> state_;
};

}  // namespace usbloop::net
