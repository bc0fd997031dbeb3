#include "client/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "client/cluster_flags.h"
#include "client/completion.h"
#include "client/completion_scripts.h"
#include "client/exit_status.h"
#include "client/man_page.h"
#include "client/options_help.h"
#include "client/positionals.h"
#include "client/program_flags.h"
#include "client/redirect_flags.h"
#include "device-sim/desk/desk_name.h"
#include "usbredir/capture/capture_flags.h"

namespace usbloop::client {

namespace {

constexpr const char* kDescription =
    R"(Redirects a USB device of this machine into a virtual machine (VMI) of a KubeVirt cluster, until Ctrl-C. A lost
connection, a VM that restarts and a device that is unplugged are waited for.
)";

CommandLine usage_error(const std::string& program, const Error& error) {
  std::string text = error.message();
  if (!error.hint.empty()) text += "\n" + error.hint;
  return {std::nullopt, text + "\nSee " + program + " --help.", kExitUsage};
}

Result<> assign_doctor(const std::string& format, Options& options) {
  if (options.list || options.give_back || options.watch) {
    return make_error(ErrorKind::invalid, "use", "the arguments",
                      "doctor takes a device and a VMI, as a redirection does");
  }
  if (!format.empty() && format != "json") {
    return make_error(ErrorKind::invalid, "use", "--output",
                      "\"" + format + "\" is not json, which is what doctor has");
  }
  options.doctor_json = !format.empty();
  return {};
}

/// The form of what is printed, and what belongs to `list` alone.
Result<> assign_output(const CLI::App& app, const std::string& format, Options& options) {
  if (options.doctor) return assign_doctor(format, options);
  if (!options.list) {
    if (options.watch) return make_error(ErrorKind::invalid, "use", "--watch", "it belongs to list");
    if (app.count("--output") == 0) return {};
    options.events = format == "json" && !options.give_back && options.launch.empty() && !options.listen;
    if (options.events) return {};
    return make_error(ErrorKind::invalid, "use", "--output", "\"" + format + "\" belongs to list",
                      "A redirection tells its events with -o json.");
  }
  const std::pair<const char*, ListFormat> formats[] = {
      {"", ListFormat::lines}, {"wide", ListFormat::wide}, {"json", ListFormat::json}, {"yaml", ListFormat::yaml}};
  for (const auto& [name, meaning] : formats) {
    if (format != name) continue;
    options.list_format = meaning;
    const bool flows = meaning == ListFormat::lines || meaning == ListFormat::json;
    if (flows || !options.watch) return {};
    return make_error(ErrorKind::invalid, "use", "--watch", "it prints lines, or json with -o json");
  }
  return make_error(ErrorKind::invalid, "use", "--output", "\"" + format + "\" is not wide, json or yaml");
}

/// The first of what CLI11 could not place: a flag is named alone, for what follows it may be a good argument.
std::string unplaced(const std::vector<std::string>& extras) {
  const auto flag = std::find_if(extras.begin(), extras.end(), [](const auto& text) {
    return text.size() > 1 && text.front() == '-' && text != "--";
  });
  if (flag == extras.end()) return "cannot use the arguments: there are too many, from \"" + extras.front() + "\" on";
  return "unknown flag: " + flag->substr(0, flag->find('='));
}

/// virtctl, or the name under which krew installs it.
bool is_virtctl(const std::string& program) { return program == "virtctl" || program == "kubectl virt"; }

Error unknown_command(const std::string& command) {
  const std::string cause = command.empty() ? "the command is missing" : "this program only knows usbredir";
  return {ErrorKind::invalid, "run", command.empty() ? "virtctl" : "\"" + command.substr(0, 64) + "\"", cause,
          "It is usbloop's client under the name of virtctl. All else is done by KubeVirt's own virtctl."};
}

/// What shells and man ask.
std::optional<CommandLine> answer_about_itself(CLI::App& app, const Options& options,
                                               const std::vector<std::string>& arguments, const std::string& version,
                                               bool as_virtctl) {
  CommandLine line;
  line.is_data = true;
  if (asks_for_completion(arguments)) {
    line.completion = std::make_shared<CompletionQuery>(completion_query(app, options, arguments, as_virtctl));
  } else if (arguments == std::vector<std::string>{"__man"}) {
    line.text = man_page(app, version);
  } else if (arguments.size() == 2 && arguments.front() == "completion" && !arguments.back().starts_with("-")) {
    auto script = completion_script(arguments.back());
    if (!script) return usage_error(app.get_name(), script.error());
    line.text = std::move(*script);
  } else {
    return std::nullopt;
  }
  return line;
}

Result<> finish(const std::vector<std::string>& positionals, Options& options) {
  for (const auto& spec : options.emulate) {
    if (!spec.empty()) continue;
    return make_error(ErrorKind::invalid, "use", "--emulate", "it is empty",
                      "Write for example --emulate stick,image=disk.img.");
  }
  return assign_positionals(positionals, options);
}

/// CLI11 has one name for all arguments that are no options.
class Usage final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App*, std::string name) const override {
    const std::string command = is_virtctl(name) ? name + " usbredir" : name;
    return "Usage: " + command + " [OPTIONS] DEVICE... VMI\n       " + command + " [OPTIONS] list\n";
  }
};

}  // namespace

std::string display_name(const std::string& argv0) {
  const auto slash = argv0.find_last_of("/\\");
  std::string name = slash == std::string::npos ? argv0 : argv0.substr(slash + 1);
  if (name.ends_with(".exe")) name.resize(name.size() - 4);
  return name.starts_with("kubectl-") ? "kubectl " + name.substr(8) : name;
}

CommandLine parse_command_line(const std::string& program, const std::vector<std::string>& given,
                               const std::string& version) {
  Options options;
  std::vector<std::string> positionals;
  // `doctor` stands before all else, so that the rest of the line is that of a redirection.
  options.doctor = !is_virtctl(program) && !given.empty() && given.front() == "doctor";
  const std::vector<std::string> arguments(given.begin() + (options.doctor ? 1 : 0), given.end());
  CLI::App app(kDescription, program);
  app.formatter(std::make_shared<Usage>());
  app.footer(help_footer(is_virtctl(program) ? program + " usbredir" : program));
  app.set_version_flag("--version", version);
  std::string format;
  std::string transport = "auto";
  std::string command;
  int level = 0;
  const bool as_virtctl = is_virtctl(program);
  if (as_virtctl) app.add_option("COMMAND", command, "usbredir")->type_name("");
  app.add_option(
         "DEVICE", positionals,
         "VENDOR:PRODUCT, BUS-DEVICE, port=PATH or serial=TEXT; several get a slot each. The last argument is the "
         "virtual machine instance VMI: NAME, vmi/NAME or vm/NAME")
      ->type_name("")
      ->expected(-1);
  ClusterFlags cluster(app, options);
  app.add_option(
         "--emulate", options.emulate,
         "Redirect an emulated device: "
         "stick,image=FILE|dir=DIRECTORY[,id=VVVV:PPPP][,speed=full|high|super][,serial=TEXT][,ro][,overlay], ssd,..., "
         "keyboard,text=TEXT, serial, ftdi, camera, microphone, speaker,file=FILE, network, or smart-card; may be "
         "repeated")
      ->type_name("SPEC")
      ->allow_extra_args(false);
  app.add_option("--desk", options.desk,
                 "The devices are those of a running desk of emulated ones (device-sim desk), by its file or socket "
                 "[$USBLOOP_DESK]")
      ->type_name("FILE")
      ->envname(desk::kDeskVariable);
  app.add_option("--transport", transport, "How a stick is shown: uas, bulk-only, or auto, by the way to the server")
      ->type_name("NAME");
  ProgramFlags programs(app, options);
  app.add_flag("--once", options.once, "End with the connection or the device; do not wait for either to come back");
  RedirectFlags redirecting(app, options);
  capture::CaptureFlags capture(app, options.capture);
  app.add_flag("--list", options.list, "The same as: list");
  app.add_option("-o,--output", format,
                 "json: events, one a line, on standard output; with list: wide, json or yaml; with doctor: json")
      ->type_name("FORMAT");
  app.add_flag("-w,--watch", options.watch, "With list: go on, and tell of each device that comes or goes");
  app.add_flag("--give-back", options.give_back, "Give DEVICE back to this machine's drivers, and end");
  app.add_option("--after", options.after)->check(CLI::PositiveNumber)->group("");  // for the guard of a device
  if (as_virtctl) {
    app.add_option("-v,--v", level, "Say more: from 3 on each step, from 6 on each transfer")->type_name("LEVEL");
  } else {
    app.add_flag("-v,--verbose", options.verbosity,
                 "Say more: each step; -vv: also each transfer of the device, in words (LIBUSB_DEBUG=4 adds the lines "
                 "of libusb)");
  }
  if (auto asked = answer_about_itself(app, options, arguments, version, as_virtctl)) return *asked;
  try {
    // CLI11 takes the arguments last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, ProgramFlags::shown(app.help()), 0};
  } catch (const CLI::CallForVersion&) {
    return {std::nullopt, version + "\n", 0};
  } catch (const CLI::ExtrasError&) {
    return {std::nullopt, unplaced(app.remaining()) + "\nSee " + program + " --help.", kExitUsage};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, std::string(error.what()) + "\nSee " + program + " --help.", kExitUsage};
  }
  if (as_virtctl) {
    if (command != "usbredir") return usage_error(program, unknown_command(command));
    options.once = options.force = true;  // it knows no --force
    options.verbosity = level >= 6 ? 2 : level >= 3 ? 1 : 0;
  }
  if (auto fine = cluster.finish(); !fine) return usage_error(program, fine.error());
  if (auto fine = redirecting.finish(); !fine) return usage_error(program, fine.error());
  const auto chosen = parse_transport(transport);
  if (!chosen) return usage_error(program, chosen.error());
  options.transport = *chosen;
  if (auto fine = capture.finish(); !fine) return usage_error(program, fine.error());
  if (auto fine = programs.finish(); !fine) return usage_error(program, fine.error());
  if (auto fine = finish(positionals, options); !fine) return usage_error(program, fine.error());
  if (auto fine = assign_output(app, format, options); !fine) return usage_error(program, fine.error());
  if ((options.list || options.give_back || options.doctor) && !options.capture.path.empty()) {
    return usage_error(program, {ErrorKind::invalid, "use", "--capture", "it belongs to a redirection"});
  }
  return {options, "", 0};
}

}  // namespace usbloop::client
