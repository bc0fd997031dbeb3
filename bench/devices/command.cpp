#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/common_arguments.h"
#include "bench/devices/measure.h"
#include "bench/machine.h"
#include "bench/statistics.h"

namespace usbloop::bench {
namespace {

using nlohmann::json;

/// The command line.
struct DeviceArguments : CommonArguments {
  DeviceOptions options;
};

Spread ratio_of(const DiskFigures& figures) { return spread_of(divided(figures.file, figures.memory)); }

json result_json(const DeviceResults& results, const DeviceOptions& options) {
  json object = {{"bench", "devices"}, {"machine", machine_facts()},        {"rounds", options.rounds},
                 {"mib", options.mib}, {"watch_ms", options.watch.count()}, {"seconds", rounded(results.seconds)}};
  for (const auto& [kind, by_act] : results.disks) {
    for (const auto& [act, figures] : by_act) {
      object["disks"][kind][act] = {{"file_mb_per_s", json_of(spread_of(figures.file))},
                                    {"memory_mb_per_s", json_of(spread_of(figures.memory))},
                                    {"ratio", json_of(ratio_of(figures))}};
      object["ratios"][kind + "_" + act] = rounded(ratio_of(figures).median);
    }
  }
  for (const auto& [name, figures] : results.cameras) {
    object["cameras"][name] = {{"pictures_per_second", json_of(spread_of(figures.pictures_per_second))},
                               {"share_of_core", json_of(spread_of(figures.share))}};
  }
  for (const auto& [kind, shares] : results.idle) object["idle"][kind] = json_of(spread_of(shares));
  return object;
}

void print_tables(std::ostream& out, const DeviceResults& results) {
  out << "\nMB/s of a disk: its store in a file, and in memory\n";
  for (const auto& [kind, by_act] : results.disks) {
    for (const auto& [act, figures] : by_act) {
      out << "  " << std::left << std::setw(6) << kind << std::setw(9) << act << text_of(spread_of(figures.file))
          << ", " << text_of(spread_of(figures.memory)) << ": " << text_of(ratio_of(figures)) << " of it\n";
    }
  }
  out << "\nCamera: pictures a second, and % of a core\n";
  for (const auto& [name, figures] : results.cameras) {
    std::vector<double> percent;
    for (const double share : figures.share) percent.push_back(share * 100);
    out << "  " << std::left << std::setw(22) << name << text_of(spread_of(figures.pictures_per_second)) << ", "
        << text_of(spread_of(percent)) << " %\n";
  }
  out << "\nIdle: % of a core\n";
  for (const auto& [kind, shares] : results.idle) {
    std::vector<double> percent;
    for (const double share : shares) percent.push_back(share * 100);
    out << "  " << std::left << std::setw(22) << kind << text_of(spread_of(percent)) << " %\n";
  }
}

void run(DeviceArguments& arguments) {
  using std::chrono::milliseconds;
  DeviceOptions& options = arguments.options;
  if (arguments.quick) options = {.rounds = 3, .mib = 64, .watch = milliseconds(2000)};
  if (arguments.smoke) options = {.rounds = 1, .mib = 2, .watch = milliseconds(250)};
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  const DeviceResults results = measure_devices(options, say);
  print_tables(arguments.tables(), results);
  if (arguments.json) std::cout << result_json(results, options).dump(2) << std::endl;
}

}  // namespace

Command add_devices_command(CLI::App& app) {
  auto arguments = std::make_shared<DeviceArguments>();
  auto* command = app.add_subcommand(
      "devices", "The emulated devices by themselves: disks beside disks in memory, the camera, and idle devices");
  add_common_arguments(*command, *arguments,
                       {"Three short rounds, within three minutes",
                        "One short round, to see that it works: the figures mean nothing", "Rounds"});
  return when_chosen(*command, arguments, run);
}

}  // namespace usbloop::bench
