#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/common_arguments.h"
#include "bench/distance/classes.h"
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
  bool classes = false;
};

Spread gain_of(const DistanceFigures& figures) { return spread_of(divided(figures.uas, figures.bulk_only)); }

json distance_json(const DistanceResults& results, const DistanceOptions& options) {
  json object = {{"bench", "distance"},
                 {"machine", machine_facts()},
                 {"rounds", options.rounds},
                 {"kib_a_command_and_read_ahead", results.queues},
                 {"seconds", rounded(results.seconds)}};
  for (const auto& [way, tests] : results.by_way) {
    const std::string name = way.first + "_" + std::to_string(way.second) + "_ms";
    for (const auto& [test, figures] : tests) {
      object["results"][name][name_of(test)] = {{"bulk_only_mb_per_s", json_of(spread_of(figures.bulk_only))},
                                                {"uas_mb_per_s", json_of(spread_of(figures.uas))},
                                                {"ratio", json_of(gain_of(figures))}};
      object["ratios"]["distance_" + name + "_" + name_of(test)] = rounded(gain_of(figures).median);
    }
  }
  return object;
}

void print_distances(std::ostream& out, const DistanceResults& results) {
  out << "\nKiB that the guest's kernel moves with a command at most, and reads ahead\n";
  for (const auto& [stick, queue] : results.queues) out << "  " << stick << ": " << queue << "\n";
  out << "\nMB/s of dd in the guest with a stick: as it is, as a UAS disk, and how many times as much\n";
  for (const auto& [way, tests] : results.by_way) {
    out << "  stick of " << way.first << " speed, " << way.second << " ms there and back\n";
    for (const auto& [test, figures] : tests) {
      std::string name = name_of(test);
      name.resize(8, ' ');
      out << "    " << name << text_of(spread_of(figures.bulk_only)) << ", " << text_of(spread_of(figures.uas)) << ": "
          << text_of(gain_of(figures)) << "\n";
    }
  }
}

json classes_json(const ClassFigures& figures) {
  json object;
  const auto add = [&](const char* name, const std::map<int, std::vector<double>>& by_round_trip) {
    for (const auto& [round_trip, values] : by_round_trip) {
      object[std::to_string(round_trip) + "_ms"][name] = json_of(spread_of(values));
    }
  };
  add("serial_full_kb_per_s", figures.serial_full);
  add("serial_high_kb_per_s", figures.serial_high);
  add("camera_pictures_per_s", figures.camera);
  return object;
}

void print_classes(std::ostream& out, const ClassFigures& figures) {
  out << "\nwhat the guest gets of other devices\n";
  for (const auto& [round_trip, values] : figures.camera) {
    out << "  " << round_trip << " ms there and back: serial port, kB/s back at full speed "
        << text_of(spread_of(figures.serial_full.at(round_trip))) << ", at high speed "
        << text_of(spread_of(figures.serial_high.at(round_trip))) << "; camera, pictures/s "
        << text_of(spread_of(values)) << "\n";
  }
}

/// The other classes, in place of the sticks.
void run_classes(const DistanceArguments& arguments) {
  const DistanceOptions& options = arguments.options;
  const ClassFigures figures = measure_classes(options.rounds, options.round_trips, say);
  print_classes(arguments.tables(), figures);
  if (!arguments.json) return;
  const json object = {{"bench", "distance"},
                       {"machine", machine_facts()},
                       {"rounds", options.rounds},
                       {"classes", classes_json(figures)}};
  std::cout << object.dump(2) << std::endl;
}

void run_distance(DistanceArguments& arguments) {
  if (const auto missing = e2e::missing_for_guest()) throw e2e::Failure(*missing);
  DistanceOptions& options = arguments.options;
  if (arguments.quick) options.rounds = 1;
  if (arguments.smoke)
    options = {.rounds = 1, .round_trips = {0, 20}, .speeds = {"high"}, .most_mib = 4, .read_ahead = 0};
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  if (arguments.classes) return run_classes(arguments);
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
      {"One round, within six minutes", "One short round, to see that it works: the figures mean nothing", "Rounds"});
  command->add_option("--speeds", arguments->options.speeds, "The stick's: high, super")
      ->delimiter(',')
      ->check(CLI::IsMember({"high", "super"}));
  command->add_option("--round-trips", arguments->options.round_trips, "Milliseconds there and back: 0,5,20,50")
      ->delimiter(',')
      ->check(CLI::Range(0, 1000));
  command->add_option("--read-ahead", arguments->options.read_ahead, "KiB that the guest is told to read ahead")
      ->check(CLI::Range(4, 65536));
  command->add_flag("--classes", arguments->classes, "A serial port and a camera in place of sticks");
  return when_chosen(*command, arguments, run_distance);
}

}  // namespace usbloop::bench
