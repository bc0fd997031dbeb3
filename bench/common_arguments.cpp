#include "bench/common_arguments.h"

#include <iostream>

namespace usbloop::bench {

std::ostream& CommonArguments::tables() const { return json ? std::cerr : std::cout; }

void add_common_arguments(CLI::App& command, CommonArguments& arguments, const CommonHelp& help) {
  command.add_flag("--quick", arguments.quick, help.quick);
  command.add_flag("--smoke", arguments.smoke, help.smoke);
  command.add_option("--rounds", arguments.rounds, help.rounds)->check(CLI::Range(1, 50));
  command.add_flag("--json", arguments.json, "JSON on standard output, the tables on standard error");
}

}  // namespace usbloop::bench
