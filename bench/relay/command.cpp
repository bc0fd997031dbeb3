#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/common_arguments.h"
#include "bench/relay/report.h"
#include "e2e/harness/failure.h"

namespace usbloop::bench {
namespace {

/// The command line.
struct RelayArguments : CommonArguments {
  RelayOptions options;
  std::string plot;
  std::vector<std::string> roads;
};

std::vector<RoadKind> roads_named(const std::vector<std::string>& names) {
  std::vector<RoadKind> roads;
  for (const RoadKind road : RelayOptions{}.roads) {
    if (std::find(names.begin(), names.end(), name_of(road)) != names.end()) roads.push_back(road);
  }
  return roads;
}

void run(RelayArguments& arguments) {
  RelayOptions& options = arguments.options;
  if (!arguments.roads.empty()) options.roads = roads_named(arguments.roads);
  if (arguments.quick) {
    options.rounds = 3;
    options.scale = 0.25;
  }
  if (arguments.smoke) {
    options.rounds = 1;
    options.scale = 0.002;
  }
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  const RelayResults results = measure_relay(options, say);
  if (!arguments.plot.empty()) {
    std::ofstream file(arguments.plot);
    file << relay_plot(results, options);
    if (!file.flush()) throw e2e::Failure("cannot write " + arguments.plot);
  }
  print_relay_tables(arguments.tables(), results, options);
  if (arguments.json) std::cout << relay_json(results, options).dump(2) << std::endl;
}

}  // namespace

Command add_relay_command(CLI::App& app) {
  auto arguments = std::make_shared<RelayArguments>();
  auto* command = app.add_subcommand("relay", "One session: our road, the floor and a direct socket, side by side");
  add_common_arguments(
      *command, *arguments,
      {"Three short rounds, within two minutes", "A few messages, to see that it works: the figures mean nothing",
       "Rounds; more make the medians steadier"});
  command->add_option("--plot", arguments->plot, "Write a plot to this SVG file");
  command->add_option("--roads", arguments->roads, "Only these: direct tcp floor ours ours_plain")
      ->delimiter(',')
      ->check(CLI::IsMember({"direct", "tcp", "floor", "ours", "ours_plain"}));
  command->add_option("--tests", arguments->options.tests, "Only these message sizes, and up and down")
      ->delimiter(',')
      ->check(CLI::IsMember({"64", "512", "16384", "131072", "1048576", "up", "down"}));
  command->add_option("--modes", arguments->options.modes, "Only these: unpinned pinned")
      ->delimiter(',')
      ->check(CLI::IsMember({"unpinned", "pinned"}));
  return when_chosen(*command, arguments, run);
}

}  // namespace usbloop::bench
