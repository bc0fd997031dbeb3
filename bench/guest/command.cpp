#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/common_arguments.h"
#include "bench/guest/measure.h"
#include "bench/machine.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::bench {
namespace {

using nlohmann::json;

/// The command line.
struct GuestArguments : CommonArguments {
  GuestOptions options;
};

Spread ratio_of(const GuestFigures& figures) { return spread_of(divided(figures.ours, figures.direct)); }

json result_json(const GuestResults& results, const GuestOptions& options) {
  json object = {{"bench", "guest"},
                 {"machine", machine_facts()},
                 {"rounds", options.rounds},
                 {"mib", options.mib},
                 {"seconds", rounded(results.seconds)}};
  for (const auto& [speed, figures] : results.by_speed) {
    object["results"][speed] = {{"direct_mb_per_s", json_of(spread_of(figures.direct))},
                                {"ours_mb_per_s", json_of(spread_of(figures.ours))},
                                {"ratio", json_of(ratio_of(figures))}};
    object["ratios"]["guest_" + speed] = rounded(ratio_of(figures).median);
  }
  return object;
}

void print_tables(std::ostream& out, const GuestResults& results) {
  out << "\nMB/s that dd reads from the stick in the guest\n";
  for (const auto& [speed, figures] : results.by_speed) {
    out << "  " << speed << " speed: direct " << text_of(spread_of(figures.direct)) << ", through the loop "
        << text_of(spread_of(figures.ours)) << ": " << text_of(ratio_of(figures)) << " of it\n";
  }
}

void run(GuestArguments& arguments) {
  if (const auto missing = e2e::missing_for_guest()) throw e2e::Failure(*missing);
  GuestOptions& options = arguments.options;
  if (arguments.quick) options = {.rounds = 3, .mib = 32, .reads = 2};
  if (arguments.smoke) options = {.rounds = 1, .mib = 2, .reads = 1};
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  const GuestResults results = measure_guest(options, say);
  print_tables(arguments.tables(), results);
  if (arguments.json) std::cout << result_json(results, options).dump(2) << std::endl;
}

}  // namespace

Command add_guest_command(CLI::App& app) {
  auto arguments = std::make_shared<GuestArguments>();
  auto* command =
      app.add_subcommand("guest", "What dd reads in a real guest: from QEMU's socket, and through the loop");
  add_common_arguments(*command, *arguments,
                       {"Three short rounds, within two minutes",
                        "One short round, to see that it works: the figures mean nothing", "Rounds"});
  return when_chosen(*command, arguments, run);
}

}  // namespace usbloop::bench
