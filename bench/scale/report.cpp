#include "bench/scale/report.h"

#include <iomanip>
#include <nlohmann/json.hpp>

#include "bench/machine.h"

namespace usbloop::bench {
namespace {

using nlohmann::json;
using Memory = std::map<std::string, std::uint64_t>;

/// A figure of every stage.
template <typename Get>
std::vector<double> over_stages(const ScaleResults& results, Get get) {
  std::vector<double> values;
  for (const Stage& stage : results.stages) values.push_back(static_cast<double>(get(stage)));
  return values;
}

std::vector<double> numbers(const ScaleResults& results) {
  return over_stages(results, [](const Stage& stage) { return stage.sessions; });
}

/// KiB a session of one program, idle or after traffic: the slope over the stages.
double kib_for_each(const ScaleResults& results, Memory Stage::*memory, const std::string& program) {
  return slope(numbers(results), over_stages(results, [&](const Stage& stage) { return (stage.*memory).at(program); }));
}

json memory_json(const ScaleResults& results, Memory Stage::*memory) {
  json object;
  double sum = 0;
  for (const auto& [program, kib] : results.empty_kib) {
    const double each = kib_for_each(results, memory, program);
    object[program] = rounded(each);
    sum += each;
  }
  object["together"] = rounded(sum);
  return object;
}

/// What the memory above that of the empty programs grows like.
double memory_growth(const ScaleResults& results, Memory Stage::*memory) {
  double empty = 0;
  for (const auto& [program, kib] : results.empty_kib) empty += static_cast<double>(kib);
  return growth_exponent(numbers(results), over_stages(results, [&](const Stage& stage) {
                           double sum = 0;
                           for (const auto& [program, kib] : stage.*memory) sum += static_cast<double>(kib);
                           return sum - empty;
                         }));
}

json growth_json(const ScaleResults& results) {
  const auto of = [&](double Stage::*figure) {
    return rounded(
        growth_exponent(numbers(results), over_stages(results, [&](const Stage& stage) { return stage.*figure; })));
  };
  return {{"memory_idle", rounded(memory_growth(results, &Stage::idle_kib))},
          {"memory_after_traffic", rounded(memory_growth(results, &Stage::traffic_kib))},
          {"connect_p50", of(&Stage::connect_p50_ms)},
          {"round_trips_per_second", of(&Stage::per_second)},
          {"cpu_per_round_trip", of(&Stage::cpu_us)},
          {"p50", of(&Stage::p50_us)},
          {"p99", of(&Stage::p99_us)}};
}

json crowd_json(const Crowd& crowd) {
  return {{"per_second", json_of(spread_of(crowd.per_second))},
          {"p50_us", json_of(spread_of(crowd.p50_us))},
          {"p99_us", json_of(spread_of(crowd.p99_us))},
          {"cpu_us_per_round_trip", json_of(spread_of(crowd.cpu_us))}};
}

json stage_json(const Stage& stage) {
  return {{"sessions", stage.sessions},
          {"idle_kib", stage.idle_kib},
          {"after_traffic_kib", stage.traffic_kib},
          {"idle_cpu", rounded(stage.idle_cpu)},
          {"connect_p50_ms", rounded(stage.connect_p50_ms)},
          {"connect_p99_ms", rounded(stage.connect_p99_ms)},
          {"round_trips_per_second", rounded(stage.per_second)},
          {"p50_us", rounded(stage.p50_us)},
          {"p99_us", rounded(stage.p99_us)},
          {"cpu_us_per_round_trip", rounded(stage.cpu_us)}};
}

Spread round_trips_ratio(const ScaleResults& results) {
  return spread_of(divided(results.ours.per_second, results.floor.per_second));
}
Spread p99_ratio(const ScaleResults& results) { return spread_of(divided(results.ours.p99_us, results.floor.p99_us)); }
Spread greedy_ratio(const ScaleResults& results) {
  return spread_of(divided(results.beside_p99_us, results.quiet_p99_us));
}

}  // namespace

json scale_json(const ScaleResults& results, const ScaleOptions& options) {
  json object = {{"bench", "scale"},
                 {"machine", machine_facts()},
                 {"rounds", options.rounds},
                 {"active", options.active},
                 {"quiet", options.quiet},
                 {"seconds", rounded(results.seconds)},
                 {"empty_kib", results.empty_kib},
                 {"ours", crowd_json(results.ours)},
                 {"floor", crowd_json(results.floor)},
                 {"quiet_p99_us", json_of(spread_of(results.quiet_p99_us))},
                 {"beside_greedy_p99_us", json_of(spread_of(results.beside_p99_us))},
                 {"kib_per_session",
                  {{"idle", memory_json(results, &Stage::idle_kib)},
                   {"after_traffic", memory_json(results, &Stage::traffic_kib)}}},
                 {"growth", growth_json(results)},
                 {"ratios",
                  {{"scale_round_trips", rounded(round_trips_ratio(results).median)},
                   {"scale_p99", rounded(p99_ratio(results).median)},
                   {"greedy_p99", rounded(greedy_ratio(results).median)}}}};
  for (const Stage& stage : results.stages) object["stages"].push_back(stage_json(stage));
  return object;
}

void print_scale_tables(std::ostream& out, const ScaleResults& results, const ScaleOptions& options) {
  out << "\nOur road, all sessions active at 512 B\n  sessions  connect p50/p99 ms  round trips/s     p50 us     p99 us"
         "  CPU us each  idle CPU s/s\n";
  for (const Stage& stage : results.stages) {
    out << std::setw(10) << stage.sessions << std::setw(20)
        << text_of(stage.connect_p50_ms) + " / " + text_of(stage.connect_p99_ms) << std::setw(15)
        << text_of(stage.per_second) << std::setw(11) << text_of(stage.p50_us) << std::setw(11) << text_of(stage.p99_us)
        << std::setw(13) << text_of(stage.cpu_us) << std::setw(14) << text_of(stage.idle_cpu) << "\n";
  }
  out << "\nKiB a session (slope over the stages)\n";
  for (const auto& [program, kib] : results.empty_kib) {
    out << "  " << std::left << std::setw(16) << program << std::right << " idle "
        << text_of(kib_for_each(results, &Stage::idle_kib, program)) << ", after traffic "
        << text_of(kib_for_each(results, &Stage::traffic_kib, program)) << "\n";
  }
  out << "\nGrowth with the number of sessions (exponent; 1 is linear): " << growth_json(results).dump() << "\n";
  out << "\n" << options.active << " sessions active at 512 B\n";
  for (const auto& [name, crowd] : {std::pair("floor", &results.floor), std::pair("ours", &results.ours)}) {
    out << "  " << std::left << std::setw(6) << name << std::right << " round trips/s "
        << text_of(spread_of(crowd->per_second)) << ", p50 us " << text_of(spread_of(crowd->p50_us)) << ", p99 us "
        << text_of(spread_of(crowd->p99_us)) << ", CPU us each " << text_of(spread_of(crowd->cpu_us)) << "\n";
  }
  out << "  ours / floor: round trips/s " << text_of(round_trips_ratio(results)) << ", p99 "
      << text_of(p99_ratio(results)) << "\n";
  out << "\n"
      << options.quiet << " quiet sessions, p99 us: alone " << text_of(spread_of(results.quiet_p99_us))
      << ", beside a greedy one " << text_of(spread_of(results.beside_p99_us)) << ": " << text_of(greedy_ratio(results))
      << " times\n";
}

}  // namespace usbloop::bench
