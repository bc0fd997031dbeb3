#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace usbloop::bench {

struct DistanceOptions {
  int rounds = 3;
  std::vector<int> round_trips = {0, 5, 20, 50};  ///< milliseconds there and back
  std::string speed = "high";                     ///< of the stick: high or super
  std::size_t mib = 32;                           ///< moved by each test at no distance; less the longer the way is
};

/// What dd does in the guest with a stick.
enum class DistanceTest {
  read,     ///< one reader, in order
  readers,  ///< four, each a quarter
  write     ///< one writer, and fsync at the end
};
const char* name_of(DistanceTest test);

/// MB/s (10^6 bytes), a value for each round.
struct DistanceFigures {
  std::vector<double> bulk_only;
  std::vector<double> uas;
};

struct DistanceResults {
  std::map<int, std::map<DistanceTest, DistanceFigures>> by_round_trip;  ///< by milliseconds
  double seconds = 0;
};

/// Boots one guest, and plugs an emulated stick into it through a proxy that delays: with
/// --transport bulk-only and with --transport uas, in random order.
DistanceResults measure_distance(const DistanceOptions& options,
                                 const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
