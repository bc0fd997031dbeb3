// usbloop-bench: measures the loop. scripts/bench builds and runs it.
#include <csignal>
#include <exception>
#include <iostream>

#include "bench/cleanup.h"
#include "bench/commands.h"
#include "bench/harness_checks.h"
#include "common/descriptor_limit.h"
#include "e2e/harness/process.h"

namespace usbloop::bench {

void say(const std::string& text) { std::cerr << "bench: " << text << std::endl; }

}  // namespace usbloop::bench

int main(int argc, char** argv) {
  namespace bench = usbloop::bench;
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Measures the loop.", "scripts/bench");
  app.require_subcommand(1);
  const std::vector<bench::Command> commands = {bench::add_api_command(app),      bench::add_relay_command(app),
                                                bench::add_scale_command(app),    bench::add_guest_command(app),
                                                bench::add_distance_command(app), bench::add_devices_command(app)};
  CLI11_PARSE(app, argc, argv);
  usbloop::e2e::become_subreaper();
  bench::end_cleanly_on_signals();
  usbloop::raise_descriptor_limit();
  bench::take_checks();
  try {
    for (const auto& command : commands) command();
  } catch (const std::exception& error) {
    std::cerr << "scripts/bench: error: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
