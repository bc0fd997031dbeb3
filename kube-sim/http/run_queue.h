#pragma once

#include "common/fd.h"

namespace usbloop::apiserver {

/// The machine's threads that run or want to (/proc/loadavg, proc(5)). An object belongs to one thread.
class RunQueue {
 public:
  RunQueue();

  /// How many there are now, the caller among them; 0 when the kernel does not say.
  [[nodiscard]] int runnable() const;
  /// How many of them wait for a processor; below 0: so many processors are idle. One that waits gets the caller's when
  /// it yields, if it waits for that one.
  [[nodiscard]] int waiting() const { return runnable() - processors_; }

 private:
  Fd file_;
  int processors_;
};

}  // namespace usbloop::apiserver
