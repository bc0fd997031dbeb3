#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "client/event.h"

// The rows that a person at a terminal sees while devices are redirected: one for each device.
namespace usbloop::client {

/// The columns that a text takes at most: a character that is not ASCII counts two, as wide ones take.
std::size_t columns_of(std::string_view text);

/// The text in `columns` columns at most, cut with an ellipsis of dots; safe to show.
std::string fitted(const std::string& text, std::size_t columns);

/// `12.3 MB/s`; decimal, from 0.0 up.
std::string shown_rate(double bytes_per_second);

/// Keeps what the rows show. Thread-safe.
class StatusRows {
 public:
  explicit StatusRows(std::size_t devices) : devices_(devices) {}

  void note(std::size_t index, const Event& event);

  /// The rows, none wider than `columns` - 1: a full line would wrap. `counters` as they are at `now`; the rates are
  /// those since the last call that was at least half a second ago.
  std::vector<std::string> rows(const std::vector<Counters>& counters, std::chrono::steady_clock::time_point now,
                                std::size_t columns);

 private:
  struct Device {
    std::string name;
    std::string state = "connecting";
    bool is_redirected = false;
    Counters last;
    double to_guest = 0;  ///< bytes per second
    double from_guest = 0;
  };
  void measure(const std::vector<Counters>& counters, std::chrono::steady_clock::time_point now);

  std::mutex mutex_;
  std::vector<Device> devices_;
  std::chrono::steady_clock::time_point measured_at_{};
};

}  // namespace usbloop::client
