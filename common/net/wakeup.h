#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

namespace usbloop::net {

/// Lets one coroutine wait until another one, of the same thread, notifies it. A notification before the wait counts.
class Wakeup {
 public:
  explicit Wakeup(const asio::any_io_executor& executor) : timer_(executor) {}

  void notify() {
    notified_ = true;
    timer_.cancel();
  }

  asio::awaitable<void> wait() {
    while (!notified_) {
      timer_.expires_at(asio::steady_timer::time_point::max());
      asio::error_code code;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, code));
    }
    notified_ = false;
  }

 private:
  asio::steady_timer timer_;
  bool notified_ = false;
};

}  // namespace usbloop::net
