#include "e2e/harness/wait.h"

#include <algorithm>
#include <thread>

#include "e2e/harness/failure.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {

milliseconds Deadline::left() const {
  const auto left = std::chrono::duration_cast<milliseconds>(end_ - std::chrono::steady_clock::now());
  return std::max(left, milliseconds(0));
}

bool holds_within(milliseconds timeout, const std::function<bool()>& condition) {
  const Deadline deadline(timeout);
  while (true) {
    reap_orphans();
    if (condition()) return true;
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(5ms);
  }
}

void wait_until(const std::string& what, milliseconds timeout, const std::function<bool()>& condition) {
  if (!holds_within(timeout, condition)) {
    throw Failure("gave up after " + std::to_string(timeout.count()) + " ms waiting for " + what);
  }
}

}  // namespace usbloop::e2e
