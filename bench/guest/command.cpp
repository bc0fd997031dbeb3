#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/common_arguments.h"
#include "bench/guest/measure.h"
#include "bench/guest/unplug.h"
#include "bench/machine.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::bench {
namespace {

using nlohmann::json;

/// The command line.
struct GuestArguments : CommonArguments {
  GuestOptions options;
  bool unplug = false;
};

/// By the socket of QEMU's, in the same round.
Spread ratio_of(const GuestFigures& figures, GuestRoad road) {
  return spread_of(divided(figures.at(road), figures.at(GuestRoad::direct)));
}

json result_json(const GuestResults& results, const GuestOptions& options) {
  json object = {{"bench", "guest"},         {"machine", machine_facts()}, {"rounds", options.rounds},
                 {"guests", options.guests}, {"mib", options.mib},         {"seconds", rounded(results.seconds)}};
  for (const auto& [speed, figures] : results.by_speed) {
    const Spread ours = ratio_of(figures, GuestRoad::ours);
    const Spread uas = ratio_of(figures, GuestRoad::uas);
    object["results"][speed] = {{"direct_mb_per_s", json_of(spread_of(figures.at(GuestRoad::direct)))},
                                {"ours_mb_per_s", json_of(spread_of(figures.at(GuestRoad::ours)))},
                                {"uas_mb_per_s", json_of(spread_of(figures.at(GuestRoad::uas)))},
                                {"ratio", json_of(ours)},
                                {"uas_ratio", json_of(uas)}};
    object["ratios"]["guest_" + speed] = rounded(ours.median);
    object["ratios"]["guest_" + speed + "_uas"] = rounded(uas.median);
  }
  return object;
}

void print_tables(std::ostream& out, const GuestResults& results, int guests) {
  out << "\nMB/s that dd reads from the stick in "
      << (guests == 1 ? "the guest" : std::to_string(guests) + " guests at once, together") << '\n';
  for (const auto& [speed, figures] : results.by_speed) {
    const auto text = [&figures](GuestRoad road) { return text_of(spread_of(figures.at(road))); };
    out << "  " << speed << " speed: direct " << text(GuestRoad::direct) << ", through the loop "
        << text(GuestRoad::ours) << ": " << text_of(ratio_of(figures, GuestRoad::ours)) << " of it, as a UAS disk "
        << text(GuestRoad::uas) << ": " << text_of(ratio_of(figures, GuestRoad::uas)) << '\n';
  }
}

/// A stick that is pulled out, in place of one that is read.
void run_unplug(const GuestArguments& arguments) {
  const int times = arguments.rounds > 0 ? arguments.rounds : arguments.smoke ? 1 : arguments.quick ? 5 : 20;
  const std::vector<double> milliseconds = measure_unplug(times, say);
  arguments.tables() << "\nms until the guest says that it has lost an idle stick that was pulled out: "
                     << text_of(spread_of(milliseconds)) << ", " << times << " times\n";
  if (!arguments.json) return;
  const json object = {{"bench", "guest"},
                       {"machine", machine_facts()},
                       {"rounds", times},
                       {"unplug_ms", json_of(spread_of(milliseconds))}};
  std::cout << object.dump(2) << std::endl;
}

void run(GuestArguments& arguments) {
  if (const auto missing = e2e::missing_for_guest()) throw e2e::Failure(*missing);
  if (arguments.unplug) return run_unplug(arguments);
  GuestOptions& options = arguments.options;
  if (arguments.quick) options = {.rounds = 3, .guests = options.guests, .mib = 32, .reads = 2};
  if (arguments.smoke) options = {.rounds = 1, .guests = options.guests, .mib = 2, .reads = 1};
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  const GuestResults results = measure_guest(options, say);
  print_tables(arguments.tables(), results, options.guests);
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
  command->add_option("--guests", arguments->options.guests, "Guests that read at once, a stick each")
      ->check(CLI::Range(1, 8));
  command->add_flag("--unplug", arguments->unplug, "How soon the guest loses a stick that is pulled out, 20 times");
  return when_chosen(*command, arguments, run);
}

}  // namespace usbloop::bench
