#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace usbloop::e2e {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// A point in time after which waiting is a failure.
class Deadline {
 public:
  explicit Deadline(milliseconds timeout) : end_(std::chrono::steady_clock::now() + timeout) {}
  [[nodiscard]] bool passed() const { return std::chrono::steady_clock::now() >= end_; }
  /// Never negative.
  [[nodiscard]] milliseconds left() const;

 private:
  std::chrono::steady_clock::time_point end_;
};

/// Looks at the condition every few milliseconds until it holds. Throws Failure naming `what` when it does not in time.
/// Also reaps orphans meanwhile, so that a process whose parent died is really gone when it is gone.
void wait_until(const std::string& what, milliseconds timeout, const std::function<bool()>& condition);

/// The same without the Failure: whether the condition held in time.
bool holds_within(milliseconds timeout, const std::function<bool()>& condition);

/// Measures wall time from its construction.
class Stopwatch {
 public:
  [[nodiscard]] milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start_);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace usbloop::e2e
