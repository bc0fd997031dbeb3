#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace usbloop {

/// A log of errors of one object that may come a thousand times (a disk that is full). Each is logged once, then
/// counted. The count is logged every minute while the errors go on, and at the end. Used by one thread.
class RepeatedError {
 public:
  using Clock = std::chrono::steady_clock;

  RepeatedError() = default;
  ~RepeatedError() { sum_up(); }
  RepeatedError(const RepeatedError&) = delete;
  RepeatedError& operator=(const RepeatedError&) = delete;

  void report(const std::string& message, Clock::time_point now = Clock::now());
  /// Says what has been counted and not said; the next error is said again.
  void sum_up();

 private:
  struct Said {
    Clock::time_point last;
    std::uint64_t more = 0;  ///< since then
  };
  std::map<std::string, Said> messages_;
};

}  // namespace usbloop
