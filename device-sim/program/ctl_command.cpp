#include "device-sim/program/ctl_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "common/shown_text.h"
#include "device-sim/desk/desk_client.h"
#include "device-sim/desk/desk_name.h"
#include "device-sim/program/ctl_tables.h"
#include "device-sim/program/report.h"

namespace usbloop::device_sim {
namespace {

using desk::DeskClient;
using desk::DeviceInfo;
using desk::Request;
using What = Request::What;

/// A command that changes a device.
struct Verb {
  const char* name;
  What what;
  const char* argument;  ///< behind the device; null: none
  const char* help;
  const char* done;  ///< `stick is unplugged`
};

constexpr Verb kVerbs[] = {
    {"plug", What::plug, nullptr, "Plug a device in", "is plugged in"},
    {"unplug", What::unplug, nullptr, "Pull a device out, also in the middle of a redirection", "is unplugged"},
    {"replug", What::replug, nullptr, "Pull it out, and plug it in again", "is plugged in again"},
    {"attach", What::attach, "FILE", "Another image for a stick or an SSD: it is pulled out, and comes back with FILE",
     "has another image"},
    {"eject", What::act, nullptr, "Take the medium out of a stick, as a person does who presses its button",
     "is empty"},
    {"load", What::act, nullptr, "Put the medium back", "has its medium"},
    {"type", What::act, "TEXT", "Type a text on a keyboard; \\n is Enter (device-sim --help has all keys)", "types"},
    {"press", What::act, "KEY", "Press a key of a keyboard by its name: f1, ctrl-alt-delete, volume-up", "has it"},
    {"fault", What::act, "FAULT", "Let it do something wrong: stall:endpoint=0x81:at=5 (device-sim --help has all)",
     "has the fault"},
    {"repair", What::act, nullptr, "Let it do everything right again", "is repaired"},
    {"do", What::act, "SCRIPT", "Let a mouse do what a script says: move:10:0 click:left", "does it"}};

struct CtlOptions {
  std::string desk, output, device, text;
  const Verb* verb = nullptr;  ///< null: list or counters
  bool counters = false;
};

void print(const std::string& text) { std::fputs(shown_lines(text).c_str(), stdout); }

Result<> show(DeskClient& desk, const CtlOptions& options) {
  auto devices = desk.list();
  if (!devices) return tl::unexpected(devices.error());
  if (!options.device.empty()) {
    auto one = desk::choose_on_desk(*devices, options.device, true);
    if (!one) return tl::unexpected(one.error());
    *devices = {std::move(*one)};
  }
  if (options.output == "json") {
    print(devices_json(*devices));
  } else {
    print(options.counters ? counters_table(*devices) : devices_table(*devices));
  }
  return {};
}

Result<> perform(DeskClient& desk, CtlOptions options) {
  const auto devices = desk.list();
  if (!devices) return tl::unexpected(devices.error());
  const auto device = desk::choose_on_desk(*devices, options.device, true);
  if (!device) return tl::unexpected(device.error());
  const Verb& verb = *options.verb;
  // The desk has another working directory than we have.
  if (verb.what == What::attach) options.text = std::filesystem::absolute(options.text).string();
  const auto done = desk.ask({.what = verb.what,
                              .device = device->name,
                              .verb = verb.what == What::act ? verb.name : "",
                              .text = options.text});
  if (!done) return tl::unexpected(done.error());
  if (options.output == "json") {
    options.device = device->name;
    return show(desk, options);
  }
  print(device->name + " " + verb.done + ".\n");
  return {};
}

/// `list`, `counters` and the verbs, as commands of the application.
void add_commands(CLI::App& app, CtlOptions& options) {
  app.fallthrough();  // --desk and -o may stand behind a command too; the commands take it over when they are made
  auto* list = app.add_subcommand("list", "The devices of the desk, and who has them");
  auto* counters = app.add_subcommand("counters", "What the devices have done");
  for (auto* command : {list, counters}) command->add_option("DEVICE", options.device, "This one alone");
  counters->callback([&options] { options.counters = true; });
  for (const Verb& verb : kVerbs) {
    auto* command = app.add_subcommand(verb.name, verb.help);
    command->add_option("DEVICE", options.device, "Its name, VENDOR:PRODUCT, BUS-DEVICE, port=PATH or serial=TEXT")
        ->required();
    if (verb.argument != nullptr) command->add_option(verb.argument, options.text)->required();
    command->callback([&options, &verb] { options.verb = &verb; });
  }
  app.require_subcommand(1);
}

Result<> run(const CtlOptions& options) {
  auto desk = DeskClient::connect(options.desk);
  if (!desk) return tl::unexpected(desk.error());
  return options.verb == nullptr ? show(*desk, options) : perform(*desk, options);
}

}  // namespace

int run_ctl(const std::string& program, const std::vector<std::string>& arguments) {
  CtlOptions options;
  CLI::App app("Does something to the devices of a running desk (device-sim desk FILE).\n", program);
  app.add_option("--desk", options.desk, "The desk, by its file or socket (default: $USBLOOP_DESK)")
      ->type_name("FILE")
      ->envname(desk::kDeskVariable)
      ->required();
  app.add_option("-o,--output", options.output, "json: for programs")->check(CLI::IsMember({"json"}));
  add_commands(app, options);
  app.footer("Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp& help) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    say(program + ": " + error.what() + "\nSee " + program + " --help.");
    return 2;
  }
  const auto done = run(options);
  return done ? 0 : report(program, done.error());
}

}  // namespace usbloop::device_sim
