#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/commands.h"
#include "bench/scale/report.h"

namespace usbloop::bench {
namespace {

/// The command line.
struct ScaleArguments {
  ScaleOptions options;
  bool quick = false;
  bool smoke = false;
  bool json = false;
  int rounds = 0;
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
  print_scale_tables(arguments.json ? std::cerr : std::cout, results, options);
  if (arguments.json) std::cout << scale_json(results, options).dump(2) << std::endl;
}

}  // namespace

Command add_scale_command(CLI::App& app) {
  auto arguments = std::make_shared<ScaleArguments>();
  auto* command = app.add_subcommand("scale", "Many sessions at once: memory, round trips, fairness, growth");
  command->add_flag("--quick", arguments->quick, "Up to 500 sessions instead of 1,000, within two minutes");
  command->add_flag("--smoke", arguments->smoke, "A few sessions, to see that it works: the figures mean nothing");
  command->add_option("--rounds", arguments->rounds, "Rounds against the floor")->check(CLI::Range(1, 50));
  command->add_flag("--json", arguments->json, "JSON on standard output, the tables on standard error");
  return [arguments, command] {
    if (command->parsed()) run(*arguments);
  };
}

}  // namespace usbloop::bench
