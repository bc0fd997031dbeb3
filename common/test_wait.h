#pragma once

#include <chrono>
#include <thread>

// For tests; no part of a library.
namespace usbloop::testing {

/// Polls what other threads bring about, for a minute at most: a sanitizer on a busy machine takes its time.
template <typename Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace usbloop::testing
