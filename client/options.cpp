#include "client/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "client/cluster_flags.h"
#include "client/completion.h"
#include "client/completion_scripts.h"
#include "client/exit_status.h"
#include "client/man_page.h"
#include "client/object_names.h"
#include "client/options_help.h"
#include "client/program_flags.h"
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

Result<> select(const std::string& device, Options& options) {
  const auto selector = parse_selector(device);
  if (!selector) return tl::unexpected(selector.error());
  options.selector = *selector;
  return {};
}

/// Gives the positional arguments their meaning.
Result<> assign(const std::vector<std::string>& positionals, Options& options) {
  constexpr const char* kUsage = "the arguments";
  const bool says_list = options.emulate.empty() && positionals.size() == 1 && positionals.front() == "list";
  if (options.list || says_list) {
    options.list = true;
    if ((positionals.empty() || says_list) && options.emulate.empty()) return {};
    return make_error(ErrorKind::invalid, "use", kUsage, "list stands alone");
  }
  if (options.give_back) {
    if (positionals.size() != 1 || !options.emulate.empty()) {
      return make_error(ErrorKind::invalid, "use", kUsage, "--give-back takes a device and nothing else");
    }
    return select(positionals.front(), options);
  }
  const std::size_t wanted = options.emulate.empty() && !options.listen ? 2 : 1;
  if (positionals.size() < wanted) {
    return make_error(ErrorKind::invalid, "use", kUsage,
                      wanted == 1           ? "the VMI is missing"
                      : positionals.empty() ? "the device and the VMI are missing"
                                            : "the VMI is missing after the device");
  }
  if (positionals.size() > wanted) {
    return make_error(ErrorKind::invalid, "use", kUsage, "there are too many",
                      wanted == 2      ? ""
                      : options.listen ? "With --no-launch only the VMI is named."
                                       : "With --emulate only the VMI is named.");
  }
  if (wanted == 2) {
    if (auto fine = select(positionals.front(), options); !fine) return fine;
    if (auto fine = check_launched_device(options); !fine) return fine;
  }
  auto name = vmi_name_of(positionals.back());
  if (!name) return tl::unexpected(name.error());
  options.vmi = std::move(*name);
  return check_vmi_name(options.vmi);
}

Result<> assign_doctor(const std::string& format, Options& options) {
  const bool is_outside = !options.launch.empty() || options.listen.has_value();
  if (options.list || options.give_back || options.watch || is_outside) {
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

/// What belongs to `list` and has no meaning elsewhere.
Result<> assign_list(const CLI::App& app, const std::string& format, Options& options) {
  if (options.doctor) return assign_doctor(format, options);
  if (!options.list) {
    if (app.count("--output") == 0 && !options.watch) return {};
    return make_error(ErrorKind::invalid, "use", app.count("--output") > 0 ? "--output" : "--watch",
                      "it belongs to list");
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

/// A capture is of what passes through this program.
Result<> check_capture(const Options& options) {
  if (options.capture.path.empty()) return {};
  const bool is_outside = !options.launch.empty() || options.listen.has_value();
  if (is_outside) return make_error(ErrorKind::invalid, "use", "--capture", "another program has the device then");
  if (!options.list && !options.give_back && !options.doctor) return {};
  return make_error(ErrorKind::invalid, "use", "--capture", "it belongs to a redirection");
}

Result<> finish(const CLI::App& app, const std::vector<std::string>& positionals, Options& options) {
  if (app.count("--emulate") > 0 && options.emulate.empty()) {
    return make_error(ErrorKind::invalid, "use", "--emulate", "it is empty",
                      "Write for example --emulate stick,image=disk.img.");
  }
  return assign(positionals, options);
}

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
  // `doctor` stands before all else, so that the rest of the line is that of a redirection.
  options.doctor = !is_virtctl(program) && !given.empty() && given.front() == "doctor";
  const std::vector<std::string> arguments(given.begin() + (options.doctor ? 1 : 0), given.end());
  std::string first;
  std::string second;
  CLI::App app(kDescription, program);
  app.footer(help_footer(is_virtctl(program) ? program + " usbredir" : program));
  app.set_version_flag("--version", version);
  std::string format;
  std::string transport = "auto";
  std::string command;
  int level = 0;
  const bool as_virtctl = is_virtctl(program);
  if (as_virtctl) app.add_option("COMMAND", command, "usbredir")->type_name("");
  app.add_option("DEVICE", first, "VENDOR:PRODUCT, BUS-DEVICE, port=PATH or serial=TEXT; left out with --emulate")
      ->type_name("");
  app.add_option("VMI", second, "The virtual machine instance: NAME, vmi/NAME or vm/NAME")->type_name("");
  ClusterFlags cluster(app, options);
  app.add_option("--emulate", options.emulate,
                 "Redirect an emulated device: "
                 "stick,image=FILE[,id=VVVV:PPPP][,speed=full|high|super][,serial=TEXT][,ro], or ssd,...")
      ->type_name("SPEC");
  app.add_option("--transport", transport, "How a stick is shown: uas, bulk-only, or auto, by the way to the server")
      ->type_name("NAME");
  ProgramFlags programs(app, options);
  app.add_flag("--once", options.once, "End with the connection or the device; do not wait for either to come back");
  capture::CaptureFlags capture(app, options.capture);
  app.add_flag("--list", options.list, "The same as: list");
  app.add_option("-o,--output", format, "With list: wide, json or yaml; with doctor: json")->type_name("FORMAT");
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
  std::vector<std::string> positionals;
  if (app.count("DEVICE") > 0) positionals.push_back(first);
  if (app.count("VMI") > 0) positionals.push_back(second);
  if (as_virtctl) {
    if (command != "usbredir") return usage_error(program, unknown_command(command));
    options.once = true;
    options.verbosity = level >= 6 ? 2 : level >= 3 ? 1 : 0;
  }
  if (auto fine = cluster.finish(); !fine) return usage_error(program, fine.error());
  const auto chosen = parse_transport(transport);
  if (!chosen) return usage_error(program, chosen.error());
  options.transport = *chosen;
  if (auto fine = capture.finish(); !fine) return usage_error(program, fine.error());
  if (auto fine = programs.finish(); !fine) return usage_error(program, fine.error());
  if (auto fine = finish(app, positionals, options); !fine) return usage_error(program, fine.error());
  if (auto fine = assign_list(app, format, options); !fine) return usage_error(program, fine.error());
  if (auto fine = check_capture(options); !fine) return usage_error(program, fine.error());
  return {options, "", 0};
}

}  // namespace usbloop::client
