#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/statistics.h"

namespace usbloop::bench {

struct ScaleOptions {
  std::vector<std::size_t> numbers = {100, 300, 1000};  ///< sessions at once, rising
  std::size_t active = 500;                             ///< of our road against the floor
  std::size_t quiet = 100;                              ///< beside the greedy one
  int rounds = 5;
  std::chrono::milliseconds time{3000};  ///< of each measurement with traffic
};

/// 512 B there and back on many sessions at once, as much as goes through.
struct Load {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double cpu_us = 0;  ///< of the programs between the ends, for a round trip
};

/// With so many sessions open.
struct Stage {
  std::size_t sessions = 0;
  std::map<std::string, std::uint64_t> idle_kib;     ///< resident memory by program, before any traffic
  std::map<std::string, std::uint64_t> traffic_kib;  ///< after all of them were active
  double idle_cpu = 0;                               ///< CPU seconds a second of both programs, nobody active
  double connect_p50_ms = 0;                         ///< of the sessions that this stage opened
  double connect_p99_ms = 0;
  Load ours;   ///< all sessions active
  Load floor;  ///< as many of the floor
};

struct ScaleResults {
  std::vector<Stage> stages;
  std::map<std::string, std::uint64_t> empty_kib;  ///< resident memory by program without a session
  std::vector<Load> ours;                          ///< with options.active sessions, by round
  std::vector<Load> floor;                         ///< the same on the floor
  std::vector<double> quiet_p99_us;                ///< of quiet sessions by themselves, by round
  std::vector<double> beside_p99_us;               ///< of the same beside a greedy one
  double seconds = 0;
};

ScaleResults measure_scale(const ScaleOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
