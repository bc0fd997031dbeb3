#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>

#include "common/fd.h"

namespace usbloop::launcher {

/// SIGTERM and SIGINT, blocked in every thread and taken here. Make this object before the first thread.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGTERM);
    ::sigaddset(&set_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow any more (RLIMIT_FSIZE) is a full disk
  }

  /// The signal's number.
  [[nodiscard]] int wait() const {
    int number = 0;
    while (::sigwait(&set_, &number) != 0) {
    }
    return number;
  }

  /// Returns when `other` is readable, or when a signal has come; wait() then takes the signal.
  void wait_or_readable(int other) const {
    const Fd signals(::signalfd(-1, &set_, SFD_CLOEXEC));
    std::array<pollfd, 2> both{{{signals.get(), POLLIN, 0}, {other, POLLIN, 0}}};
    while (::poll(both.data(), both.size(), -1) < 0 && errno == EINTR) {
    }
  }

 private:
  sigset_t set_{};
};

}  // namespace usbloop::launcher
