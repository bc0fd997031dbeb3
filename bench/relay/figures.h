#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/relay/measure.h"
#include "bench/statistics.h"

namespace usbloop::bench {

// The figures of a run that are made from its cells. Everything is paired: a ratio is taken within a round, and then
// its median over the rounds.

/// What a figure of a cell is.
enum class Figure { p50, p90, p99, mb_per_s, cpu };

/// One value for each round. Figure::cpu is in CPU seconds for a GiB or a round trip, of the processes between the
/// ends. Our road includes the client library, which runs in the load tool's process. So the load tool's time counts
/// too, less what it needs for the same work on the direct road in the same round.
std::vector<double> figure(const RelayResults& results, const std::string& mode, const std::string& test, RoadKind road,
                           Figure what);

/// `road` divided by `base`, a value for each round.
std::vector<double> ratio(const RelayResults& results, const std::string& mode, const std::string& test, RoadKind road,
                          RoadKind base, Figure what);

/// latency_64, latency_16384, latency_131072 (p50), stream_up, stream_down (MB/s), cpu_per_gib (both ways together), of
/// a road divided by another's. A ratio whose tests did not run is left out.
std::map<std::string, Spread> key_ratios(const RelayResults& results, const std::string& mode, RoadKind road,
                                         RoadKind base);

}  // namespace usbloop::bench
