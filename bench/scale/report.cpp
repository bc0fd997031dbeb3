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

/// The exponent with which a figure of the stages grows.
template <typename Get>
double growth_of(const ScaleResults& results, Get get) {
  return growth_exponent(numbers(results), over_stages(results, get));
}

/// What the memory above that of the empty programs grows like.
double memory_growth(const ScaleResults& results, Memory Stage::*memory) {
  double empty = 0;
  for (const auto& [program, kib] : results.empty_kib) empty += static_cast<double>(kib);
  return growth_of(results, [&](const Stage& stage) {
    double sum = 0;
    for (const auto& [program, kib] : stage.*memory) sum += static_cast<double>(kib);
    return sum - empty;
  });
}

/// How the figures of one road's loads grow.
json load_growth_json(const ScaleResults& results, Load Stage::*road) {
  const auto of = [&](double Load::*figure) {
    return rounded(growth_of(results, [&](const Stage& stage) { return stage.*road.*figure; }));
  };
  return {{"round_trips_per_second", of(&Load::per_second)},
          {"cpu_per_round_trip", of(&Load::cpu_us)},
          {"p50", of(&Load::p50_us)},
          {"p99", of(&Load::p99_us)}};
}

json growth_json(const ScaleResults& results) {
  json growth = load_growth_json(results, &Stage::ours);
  growth["memory_idle"] = rounded(memory_growth(results, &Stage::idle_kib));
  growth["memory_after_traffic"] = rounded(memory_growth(results, &Stage::traffic_kib));
  growth["connect_p50"] = rounded(growth_of(results, [](const Stage& stage) { return stage.connect_p50_ms; }));
  return growth;
}

/// One figure of the loads of all rounds.
std::vector<double> over_rounds(const std::vector<Load>& loads, double Load::*figure) {
  std::vector<double> values;
  for (const Load& load : loads) values.push_back(load.*figure);
  return values;
}

json loads_json(const std::vector<Load>& loads) {
  const auto of = [&](double Load::*figure) { return json_of(spread_of(over_rounds(loads, figure))); };
  return {{"per_second", of(&Load::per_second)},
          {"p50_us", of(&Load::p50_us)},
          {"p99_us", of(&Load::p99_us)},
          {"cpu_us_per_round_trip", of(&Load::cpu_us)}};
}

json load_json(const Load& load) {
  return {{"round_trips_per_second", rounded(load.per_second)},
          {"p50_us", rounded(load.p50_us)},
          {"p99_us", rounded(load.p99_us)},
          {"cpu_us_per_round_trip", rounded(load.cpu_us)}};
}

json stage_json(const Stage& stage) {
  json object = load_json(stage.ours);
  object.update({{"sessions", stage.sessions},
                 {"idle_kib", stage.idle_kib},
                 {"after_traffic_kib", stage.traffic_kib},
                 {"idle_cpu", rounded(stage.idle_cpu)},
                 {"connect_p50_ms", rounded(stage.connect_p50_ms)},
                 {"connect_p99_ms", rounded(stage.connect_p99_ms)},
                 {"floor", load_json(stage.floor)}});
  return object;
}

/// Ours divided by the floor of the same round.
Spread ratio(const ScaleResults& results, double Load::*figure) {
  return spread_of(divided(over_rounds(results.ours, figure), over_rounds(results.floor, figure)));
}
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
                 {"ours", loads_json(results.ours)},
                 {"floor", loads_json(results.floor)},
                 {"quiet_p99_us", json_of(spread_of(results.quiet_p99_us))},
                 {"beside_greedy_p99_us", json_of(spread_of(results.beside_p99_us))},
                 {"kib_per_session",
                  {{"idle", memory_json(results, &Stage::idle_kib)},
                   {"after_traffic", memory_json(results, &Stage::traffic_kib)}}},
                 {"growth", growth_json(results)},
                 {"growth_floor", load_growth_json(results, &Stage::floor)},
                 {"ratios",
                  {{"scale_round_trips", rounded(ratio(results, &Load::per_second).median)},
                   {"scale_p99", rounded(ratio(results, &Load::p99_us).median)},
                   {"greedy_p99", rounded(greedy_ratio(results).median)}}}};
  for (const Stage& stage : results.stages) object["stages"].push_back(stage_json(stage));
  return object;
}

void print_scale_tables(std::ostream& out, const ScaleResults& results, const ScaleOptions& options) {
  out << "\nSessions of our road, nobody active\n  sessions  connect p50/p99 ms  idle CPU s/s\n";
  for (const Stage& stage : results.stages) {
    out << std::setw(10) << stage.sessions << std::setw(20)
        << text_of(stage.connect_p50_ms) + " / " + text_of(stage.connect_p99_ms) << std::setw(14)
        << text_of(stage.idle_cpu) << "\n";
  }
  out << "\nAll sessions active at 512 B\n  sessions   road  round trips/s     p50 us     p99 us  CPU us each\n";
  for (const Stage& stage : results.stages) {
    for (const auto& [name, load] : {std::pair("floor", &stage.floor), std::pair("ours", &stage.ours)}) {
      out << std::setw(10) << stage.sessions << std::setw(7) << name << std::setw(15) << text_of(load->per_second)
          << std::setw(11) << text_of(load->p50_us) << std::setw(11) << text_of(load->p99_us) << std::setw(13)
          << text_of(load->cpu_us) << "\n";
    }
  }
  out << "\nKiB a session (slope over the stages)\n";
  for (const auto& [program, kib] : results.empty_kib) {
    out << "  " << std::left << std::setw(16) << program << std::right << " idle "
        << text_of(kib_for_each(results, &Stage::idle_kib, program)) << ", after traffic "
        << text_of(kib_for_each(results, &Stage::traffic_kib, program)) << "\n";
  }
  out << "\nGrowth with the number of sessions (exponent; 1 is linear): " << growth_json(results).dump()
      << "\n  the floor's: " << load_growth_json(results, &Stage::floor).dump() << "\n";
  out << "\n" << options.active << " sessions active at 512 B\n";
  for (const auto& [name, loads] : {std::pair("floor", &results.floor), std::pair("ours", &results.ours)}) {
    const auto of = [&](double Load::*figure) { return text_of(spread_of(over_rounds(*loads, figure))); };
    out << "  " << std::left << std::setw(6) << name << std::right << " round trips/s " << of(&Load::per_second)
        << ", p50 us " << of(&Load::p50_us) << ", p99 us " << of(&Load::p99_us) << ", CPU us each " << of(&Load::cpu_us)
        << "\n";
  }
  out << "  ours / floor: round trips/s " << text_of(ratio(results, &Load::per_second)) << ", p99 "
      << text_of(ratio(results, &Load::p99_us)) << "\n";
  out << "\n"
      << options.quiet << " quiet sessions, p99 us: alone " << text_of(spread_of(results.quiet_p99_us))
      << ", beside a greedy one " << text_of(spread_of(results.beside_p99_us)) << ": " << text_of(greedy_ratio(results))
      << " times\n";
}

}  // namespace usbloop::bench
