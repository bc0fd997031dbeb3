#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/common_arguments.h"
#include "bench/scale/report.h"

namespace usbloop::bench {
namespace {

/// The command line.
struct ScaleArguments : CommonArguments {
  ScaleOptions options;
};

void run(ScaleArguments& arguments) {
  ScaleOptions& options = arguments.options;
  if (arguments.quick) {
    options.numbers = {50, 150, 500};
    options.rounds = 3;
    options.time = std::chrono::milliseconds(1500);
  }
  if (arguments.smoke) options = {{2, 4, 8}, 4, 2, 1, std::chrono::milliseconds(100)};
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  const ScaleResults results = measure_scale(options, say);
  print_scale_tables(arguments.tables(), results, options);
  if (arguments.json) std::cout << scale_json(results, options).dump(2) << std::endl;
}

}  // namespace

Command add_scale_command(CLI::App& app) {
  auto arguments = std::make_shared<ScaleArguments>();
  auto* command = app.add_subcommand("scale", "Many sessions at once: memory, round trips, fairness, growth");
  add_common_arguments(*command, *arguments,
                       {"Up to 500 sessions instead of 1,000, within two minutes",
                        "A few sessions, to see that it works: the figures mean nothing", "Rounds against the floor"});
  return when_chosen(*command, arguments, run);
}

}  // namespace usbloop::bench
