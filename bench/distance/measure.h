#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace usbloop::bench {

struct DistanceOptions {
  int rounds = 3;
  std::vector<int> round_trips = {0, 5, 20, 50};        ///< milliseconds there and back
  std::vector<std::string> speeds = {"high", "super"};  ///< of the stick
  std::size_t most_mib = 64;                            ///< moved by each test at most; less the longer the way is
  int read_ahead = 0;                                   ///< KiB that the guest is told to read ahead; 0: as it decides
};

/// What dd does in the guest with a stick.
enum class DistanceTest {
  read,     ///< one reader, in order, a megabyte at a time
  copy,     ///< one reader, in order, 64 KiB at a time, as most programs read
  readers,  ///< four, each a quarter, a megabyte at a time
  write     ///< one writer, and fsync at the end
};
const char* name_of(DistanceTest test);

/// MB/s (10^6 bytes), a value for each round.
struct DistanceFigures {
  std::vector<double> bulk_only;
  std::vector<double> uas;
};

/// A speed of the stick and milliseconds there and back.
using DistanceWay = std::pair<std::string, int>;

struct DistanceResults {
  std::map<DistanceWay, std::map<DistanceTest, DistanceFigures>> by_way;
  /// KiB that the guest's kernel moves with a command at most and reads ahead: by "high bulk-only".
  std::map<std::string, std::string> queues;
  double seconds = 0;
};

/// Boots one guest, and plugs emulated sticks into it through a proxy that delays: with
/// --transport bulk-only and with --transport uas, in random order.
DistanceResults measure_distance(const DistanceOptions& options,
                                 const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
