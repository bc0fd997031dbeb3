#include "device-sim/desk/poll_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace usbloop::desk {

Result<std::unique_ptr<PollThread>> PollThread::start() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return make_errno_error("make", "an epoll");
  Fd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return make_errno_error("make", "an eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = stop.get();
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, stop.get(), &event) != 0) return make_errno_error("watch", "an eventfd");
  std::unique_ptr<PollThread> self(new PollThread(std::move(epoll), std::move(stop)));
  self->thread_ = std::thread([raw = self.get()] { raw->run(); });
  return self;
}

PollThread::~PollThread() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void PollThread::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

Result<> PollThread::arm(int fd, unsigned events) {
  epoll_event event{};
  event.events = events | EPOLLONESHOT;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0) return {};
  if (errno == ENOENT && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return make_errno_error("watch", "a socket");
}

void PollThread::forget(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void PollThread::run() {
  std::array<epoll_event, 4> events{};
  while (true) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) return;  // not reached: the descriptor is ours
    for (int index = 0; index < count; ++index) {
      if (events[static_cast<std::size_t>(index)].data.fd == stop_.get()) return;
    }
    const std::lock_guard lock(mutex_);
    if (count > 0 && wake_) wake_();
  }
}

}  // namespace usbloop::desk
