#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace usbloop::bench {

struct ApiOptions {
  std::vector<std::size_t> numbers = {100, 1000, 10'000};  ///< VMIs in the store of a server each, rising
  std::vector<std::size_t> watchers = {20, 60, 200};       ///< rising; the most of them at every server
  int rounds = 5;
  std::size_t gets = 1000;   ///< of one VMI, one after the other
  std::size_t burst = 50;    ///< writes that the watchers see as fast as one client can make them
  std::size_t singles = 50;  ///< writes that they see one by one
};

/// What watchers see of the writes; a value for each round.
struct FanOut {
  std::vector<double> writes_per_second;  ///< in a burst, by one client
  std::vector<double> events_per_second;  ///< of a burst, to all watchers together
  std::vector<double> event_cpu_us;       ///< of the server, for an event to one watcher, the burst's writes included
  std::vector<double> last_p50_ms;        ///< from sending a single write to its event at the last watcher
  std::vector<double> event_p99_ms;       ///< the same to each watcher
};

/// Of the server with so many VMIs. A value for each round; CPU is the server's.
struct ApiStage {
  std::size_t vmis = 0;
  // Once.
  double created_per_second = 0;
  double settled_per_second = 0;  ///< until the controllers had no more to do
  double create_cpu_us = 0;       ///< for each VMI, the controllers' part included
  double list_bytes = 0;
  double empty_kib = 0;      ///< resident memory without a VMI
  double settled_kib = 0;    ///< with them, before anything was read
  double used_kib = 0;       ///< after all rounds
  double restarted_kib = 0;  ///< of the restarted server
  // Each round.
  std::vector<double> list_ms;
  std::vector<double> list_cpu_ms;
  std::vector<double> pages_ms;  ///< all pages of 500
  std::vector<double> table_ms;  ///< as kubectl get asks for it
  std::vector<double> get_p50_us;
  std::vector<double> get_p99_us;
  std::vector<double> get_cpu_us;
  std::vector<double> restart_ms;
  FanOut fan_out;  ///< to the most watchers
};

struct ApiResults {
  std::vector<ApiStage> stages;
  std::map<std::size_t, FanOut> by_watchers;  ///< at the server with the most VMIs
  std::vector<double> foreign;                ///< share of the machine that others used, by round
  double seconds = 0;
};

/// Throws e2e::Failure.
ApiResults measure_api(const ApiOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
