#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/world.h"

namespace usbloop::bench {

struct RelayOptions {
  int rounds = 7;
  /// Scales the numbers of messages and bytes and the time for each: 1 is the full run.
  double scale = 1;
  std::vector<RoadKind> roads = {RoadKind::direct, RoadKind::tcp, RoadKind::floor, RoadKind::ours,
                                 RoadKind::ours_plain};
  std::vector<std::string> tests = {"64", "512", "16384", "131072", "1048576", "up", "down"};
  std::vector<std::string> modes = {"unpinned", "pinned"};
};

inline bool is_stream(const std::string& test) { return test == "up" || test == "down"; }

/// One test on one road in one round. A test is a message size (ping-pong) or "up" or "down" (a stream).
struct Cell {
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double mb_per_s = 0;  ///< streams; MB are 10^6 bytes
  double work = 0;      ///< what the CPU times are for: round trips, or GiB
  /// CPU seconds of the processes between the ends by name, and "load tool" and "peer".
  std::map<std::string, double> cpu;
};

/// By mode ("unpinned", "pinned"), test and road; one cell for each round.
using Cells = std::map<std::string, std::map<std::string, std::map<RoadKind, std::vector<Cell>>>>;

struct RelayResults {
  Cells cells;
  std::map<std::string, std::uint64_t> peak_kib;  ///< by program, over the whole run
  /// Share of the machine that others used, by round: above a tenth the figures are indicative only.
  std::vector<double> foreign;
  double seconds = 0;
};

/// Runs the rounds: for each mode a session on every road is opened, and each test runs on one road after the other, in
/// random order. `progress` is told what is being done.
RelayResults measure_relay(const RelayOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
