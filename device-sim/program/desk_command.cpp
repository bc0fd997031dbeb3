#include "device-sim/program/desk_command.h"

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "common/log.h"
#include "common/shown_text.h"
#include "device-sim/desk/desk_name.h"
#include "device-sim/desk/server.h"
#include "device-sim/kinds.h"
#include "device-sim/program/report.h"

namespace usbloop::device_sim {
namespace {

std::string footer() {
  return "FILE is a list of devices, each with a place as lsusb shows it; all keys but kind may be left out:\n"
         "  devices:\n"
         "  - {kind: stick, bus: 2, address: 8, image: stick.img, size: 64M}\n"
         "  - {kind: camera, bus: 1, address: 3}\n"
         "name (else the kind), bus (1), address and port (the lowest free ones), label (what lists call it), size "
         "(an\n"
         "image that is missing is made), and plugged: false for a device that is not there at first. All other keys "
         "are\n"
         "options of its kind:\n" +
         spec_help() +
         "\n"
         "The devices go to whoever takes them: kubectl usbredir --desk FILE, or USBLOOP_DESK=FILE in its environment\n"
         "or that of usbredirect. device-sim ctl pulls them out and plugs them in again.\n";
}

struct DeskOptions {
  std::string file, socket;
  int verbosity = 3;
};

Result<> keep_desk(const std::string& program, const DeskOptions& options) {
  auto path = options.socket.empty() ? desk::socket_of_desk_file(options.file) : Result<std::string>(options.socket);
  if (!path) return tl::unexpected(path.error());
  std::unique_ptr<desk::Desk> devices;  // outlives the loop
  asio::io_context loop(1);
  // First: a second desk of this file would only find its images in use.
  auto server = desk::Server::listen(loop, *path);
  if (!server) return tl::unexpected(server.error());
  auto made = desk::Desk::open(options.file);
  if (!made) return tl::unexpected(made.error());
  devices = std::move(*made);
  asio::signal_set signals(loop, SIGINT, SIGTERM, SIGHUP);
  signals.async_wait([&server](const asio::error_code& code, int) {
    if (!code) (*server)->stop();
  });
  (*server)->serve(*devices);
  std::printf("%s\n", shown_lines(program + ": " + std::to_string(devices->list().size()) + " devices of " +
                                  options.file + " at " + *path)
                          .c_str());
  std::fflush(stdout);
  loop.run();
  return {};
}

}  // namespace

int run_desk(const std::string& program, const std::vector<std::string>& arguments) {
  DeskOptions options;
  CLI::App app("Keeps the emulated devices of a desk file until Ctrl-C: they outlive each redirection.\n", program);
  app.footer(footer());
  app.add_option("FILE", options.file, "The desk file")->required();
  app.add_option("--socket", options.socket,
                 "Where ctl and clients find it (default: usbloop/desk-....sock in $XDG_RUNTIME_DIR, by FILE's path)");
  app.add_option("-v,--verbose", options.verbosity, "Log level from 1 to 5, where 5 is the most verbose")
      ->check(CLI::Range(0, 5));
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    say(program + ": " + error.what() + "\nSee " + program + " --help.");
    return 2;
  }
  if (const auto ready = init_logging(program, log_level(options.verbosity)); !ready) {
    return report(program, ready.error());
  }
  std::signal(SIGPIPE, SIG_IGN);
  // An image that may not grow any more (RLIMIT_FSIZE) is a full disk: the write fails, and the guest is told.
  std::signal(SIGXFSZ, SIG_IGN);
  const auto kept = keep_desk(program, options);
  return kept ? 0 : report(program, kept.error());
}

}  // namespace usbloop::device_sim
