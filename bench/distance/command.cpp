#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/common_arguments.h"
#include "bench/distance/measure.h"
#include "bench/machine.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::bench {
namespace {

using nlohmann::json;

/// The command line.
struct DistanceArguments : CommonArguments {
  DistanceOptions options;
};

Spread gain_of(const DistanceFigures& figures) { return spread_of(divided(figures.uas, figures.bulk_only)); }

json distance_json(const DistanceResults& results, const DistanceOptions& options) {
  json object = {{"bench", "distance"}, {"machine", machine_facts()}, {"rounds", options.rounds},
                 {"mib", options.mib},  {"stick", options.speed},     {"seconds", rounded(results.seconds)}};
  for (const auto& [round_trip, tests] : results.by_round_trip) {
    const std::string way = std::to_string(round_trip) + "_ms";
    for (const auto& [test, figures] : tests) {
      object["results"][way][name_of(test)] = {{"bulk_only_mb_per_s", json_of(spread_of(figures.bulk_only))},
                                               {"uas_mb_per_s", json_of(spread_of(figures.uas))},
                                               {"ratio", json_of(gain_of(figures))}};
      object["ratios"]["distance_" + way + "_" + name_of(test)] = rounded(gain_of(figures).median);
    }
  }
  return object;
}

void print_distances(std::ostream& out, const DistanceResults& results) {
  out << "\nMB/s of dd in the guest with a stick: as it is, as a UAS disk, and how many times as much\n";
  for (const auto& [round_trip, tests] : results.by_round_trip) {
    out << "  " << round_trip << " ms there and back\n";
    for (const auto& [test, figures] : tests) {
      std::string name = name_of(test);
      name.resize(8, ' ');
      out << "    " << name << text_of(spread_of(figures.bulk_only)) << ", " << text_of(spread_of(figures.uas)) << ": "
          << text_of(gain_of(figures)) << "\n";
    }
  }
}

void run_distance(DistanceArguments& arguments) {
  if (const auto missing = e2e::missing_for_guest()) throw e2e::Failure(*missing);
  DistanceOptions& options = arguments.options;
  if (arguments.quick) options.rounds = 1;
  if (arguments.smoke) options = {.rounds = 1, .round_trips = {0, 20}, .speed = options.speed, .mib = 4};
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  const DistanceResults results = measure_distance(options, say);
  print_distances(arguments.tables(), results);
  if (arguments.json) std::cout << distance_json(results, options).dump(2) << std::endl;
}

}  // namespace

Command add_distance_command(CLI::App& app) {
  auto arguments = std::make_shared<DistanceArguments>();
  auto* command = app.add_subcommand("distance", "What dd does with a stick of a client that is far away");
  add_common_arguments(
      *command, *arguments,
      {"One round, within two minutes", "One short round, to see that it works: the figures mean nothing", "Rounds"});
  command->add_option("--speed", arguments->options.speed, "The stick's: high or super")
      ->check(CLI::IsMember({"high", "super"}));
  return when_chosen(*command, arguments, run_distance);
}

}  // namespace usbloop::bench
