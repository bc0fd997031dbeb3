#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/api/report.h"
#include "bench/common_arguments.h"

namespace usbloop::bench {
namespace {

/// The command line.
struct ApiArguments : CommonArguments {
  ApiOptions options;
  std::vector<std::size_t> vmis;
  std::vector<std::size_t> watchers;
};

std::vector<std::size_t> ascending(std::vector<std::size_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void run(ApiArguments& arguments) {
  ApiOptions& options = arguments.options;
  if (arguments.quick) {
    options.numbers = {100, 500, 2500};
    options.rounds = 3;
  }
  if (arguments.smoke) options = {{2, 4, 8}, {1, 2, 4}, 1, 5, 3, 3};
  if (arguments.rounds > 0) options.rounds = arguments.rounds;
  if (!arguments.vmis.empty()) options.numbers = ascending(arguments.vmis);
  if (!arguments.watchers.empty()) options.watchers = ascending(arguments.watchers);
  const ApiResults results = measure_api(options, say);
  print_api_tables(arguments.tables(), results);
  if (arguments.json) std::cout << api_json(results, options).dump(2) << std::endl;
}

}  // namespace

Command add_api_command(CLI::App& app) {
  auto arguments = std::make_shared<ApiArguments>();
  auto* command = app.add_subcommand("api", "Many VMIs in the API server: lists, gets, watchers, memory, growth");
  add_common_arguments(*command, *arguments,
                       {"Up to 2,500 VMIs instead of 10,000, within two minutes",
                        "A few VMIs, to see that it works: the figures mean nothing", "Rounds"});
  command->add_option("--vmis", arguments->vmis, "Numbers of VMIs, a server each")
      ->delimiter(',')
      ->check(CLI::Range(1, 100'000));
  command->add_option("--watchers", arguments->watchers, "Numbers of watchers")
      ->delimiter(',')
      ->check(CLI::Range(1, 4000));
  return when_chosen(*command, arguments, run);
}

}  // namespace usbloop::bench
