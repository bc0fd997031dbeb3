#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::desk {

/// Calls somebody when one of a few descriptors has become ready, once for each arm(). Has a thread of its own.
class PollThread {
 public:
  static Result<std::unique_ptr<PollThread>> start();
  ~PollThread();
  PollThread(const PollThread&) = delete;
  PollThread& operator=(const PollThread&) = delete;

  /// What is called, from the thread; it must only schedule a look. Null: nothing. The one before is not called any
  /// more when this returns.
  void set_wake(std::function<void()> wake);

  /// Calls once when `fd` is ready for `events` (EPOLLIN, EPOLLOUT; 0: not at all). `fd` stays the caller's, and is
  /// open until forget().
  Result<> arm(int fd, unsigned events);
  void forget(int fd);

 private:
  PollThread(Fd epoll, Fd stop) : epoll_(std::move(epoll)), stop_(std::move(stop)) {}
  void run();

  const Fd epoll_;
  const Fd stop_;  ///< an eventfd
  std::mutex mutex_;
  std::function<void()> wake_;
  std::thread thread_;
};

}  // namespace usbloop::desk
