#include "client/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

namespace usbloop::client {

namespace {

constexpr const char* kDescription =
    R"(Redirects a USB device of this machine into a virtual machine (VMI) of a KubeVirt cluster, until Ctrl-C. A lost
connection, a VM that restarts and a device that is unplugged are waited for.
)";

std::string footer(const std::string& program) {
  const std::pair<const char*, const char*> examples[] = {
      {" 0951:1666 demo", "the device that lsusb shows as \"ID 0951:1666\""},
      {" 1-3 demo", "the device that lsusb shows as \"Bus 001 Device 003\""},
      {" 1-3 demo -n team --context lab", "another namespace and another cluster"},
      {" --emulate stick,image=disk.img demo", "an emulated USB stick: no hardware needed"},
      {" --list", "the devices of this machine, and whether you may use them"},
      {" --give-back 1-3", "back to its driver here, if a redirection could not do so"},
  };
  constexpr std::size_t kWidth = 40;
  std::string text = "Examples:\n";
  for (const auto& [arguments, meaning] : examples) {
    std::string command = arguments;
    command.resize(std::max(command.size(), kWidth), ' ');
    text += "  " + program + command + meaning + "\n";
  }
  return text + R"(
The VMI must be running, and must have been started with
  spec: {domain: {devices: {clientPassthrough: {}}}}
It takes up to four devices at a time. The device is taken from its driver here while it is redirected, and given
back at the end, even if this program is killed: unmount a stick first.

Exit status:
  0  ended as asked (Ctrl-C, SIGTERM; with --once also closed by the server in good order)
  1  refused, failed, or cannot come back (the VMI is deleted, access is revoked); with --once also lost or unplugged
  2  wrong usage
)";
}

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') || character == '-';
}

/// RFC 1123: letters, digits and dashes, neither end a dash, at most 63 characters.
bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_subdomain(std::string_view text) {
  if (text.size() > 253) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

Result<> check_name(const std::string& what, const std::string& name, bool fine) {
  if (name.empty()) return make_error(ErrorKind::invalid, "use", what, "it is empty");
  if (fine) return {};
  const std::string shown = name.size() <= 64 ? name : name.substr(0, 64) + "...";
  return make_error(ErrorKind::invalid, "use", what + " \"" + shown + "\"",
                    "a name has lower-case letters, digits and dashes, and begins and ends with a letter or digit");
}

CommandLine usage_error(const std::string& program, const Error& error) {
  std::string text = error.message();
  if (!error.hint.empty()) text += "\n" + error.hint;
  return {std::nullopt, text + "\nSee " + program + " --help.", 2};
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
  if (options.list) {
    if (positionals.empty() && options.emulate.empty()) return {};
    return make_error(ErrorKind::invalid, "use", kUsage, "--list stands alone");
  }
  if (options.give_back) {
    if (positionals.size() != 1 || !options.emulate.empty()) {
      return make_error(ErrorKind::invalid, "use", kUsage, "--give-back takes a device and nothing else");
    }
    return select(positionals.front(), options);
  }
  const std::size_t wanted = options.emulate.empty() ? 2 : 1;
  if (positionals.size() < wanted) {
    return make_error(ErrorKind::invalid, "use", kUsage,
                      wanted == 1           ? "the VMI is missing"
                      : positionals.empty() ? "the device and the VMI are missing"
                                            : "the VMI is missing after the device");
  }
  if (positionals.size() > wanted) {
    return make_error(ErrorKind::invalid, "use", kUsage, "there are too many",
                      wanted == 1 ? "With --emulate only the VMI is named." : "");
  }
  if (wanted == 2) {
    if (auto fine = select(positionals.front(), options); !fine) return fine;
  }
  options.vmi = positionals.back();
  return check_vmi_name(options.vmi);
}

Result<> finish(const CLI::App& app, const std::vector<std::string>& positionals, Options& options) {
  if (app.count("--emulate") > 0 && options.emulate.empty()) {
    return make_error(ErrorKind::invalid, "use", "--emulate", "it is empty",
                      "Write for example --emulate stick,image=disk.img.");
  }
  if (app.count("--kubeconfig") > 0 && options.kubeconfig.empty()) {
    return make_error(ErrorKind::invalid, "use", "--kubeconfig", "it is empty");
  }
  if (app.count("--namespace") > 0) {
    if (auto fine = check_namespace(options.name_space); !fine) return fine;
  }
  return assign(positionals, options);
}

}  // namespace

Result<> check_vmi_name(const std::string& name) { return check_name("the VMI's name", name, is_subdomain(name)); }

Result<> check_namespace(const std::string& name) { return check_name("the namespace", name, is_label(name)); }

std::string display_name(const std::string& argv0) {
  const auto slash = argv0.find_last_of("/\\");
  std::string name = slash == std::string::npos ? argv0 : argv0.substr(slash + 1);
  if (name.ends_with(".exe")) name.resize(name.size() - 4);
  return name.starts_with("kubectl-") ? "kubectl " + name.substr(8) : name;
}

CommandLine parse_command_line(const std::string& program, const std::vector<std::string>& arguments,
                               const std::string& version) {
  Options options;
  std::string first;
  std::string second;
  CLI::App app(kDescription, program);
  app.footer(footer(program));
  app.set_version_flag("--version", version);
  app.add_option("DEVICE", first, "VENDOR:PRODUCT or BUS-DEVICE; left out with --emulate")->type_name("");
  app.add_option("VMI", second, "Name of the virtual machine instance")->type_name("");
  app.add_option("--kubeconfig", options.kubeconfig, "Kubeconfig file [KUBECONFIG, ~/.kube/config]")->type_name("FILE");
  app.add_option("--context", options.context, "Context of the kubeconfig [its current-context]")->type_name("NAME");
  app.add_option("-n,--namespace", options.name_space, "Namespace of the VMI [the context's, else default]")
      ->type_name("NAME");
  app.add_option(
         "--emulate", options.emulate,
         "Redirect an emulated device: stick,image=FILE[,id=VVVV:PPPP][,speed=full|high|super][,serial=TEXT][,ro]")
      ->type_name("SPEC");
  app.add_flag("--once", options.once, "End with the connection or the device; do not wait for either to come back");
  app.add_flag("--list", options.list, "List the USB devices of this machine");
  app.add_flag("--give-back", options.give_back, "Give DEVICE back to this machine's drivers, and end");
  app.add_option("--after", options.after)->check(CLI::PositiveNumber)->group("");  // for the guard of a device
  app.add_flag("-v,--verbose", options.verbosity,
               "Say more; -vv: also each transfer of a real device (LIBUSB_DEBUG=4 adds the lines of libusb)");
  try {
    // CLI11 takes the arguments last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), 0};
  } catch (const CLI::CallForVersion&) {
    return {std::nullopt, version + "\n", 0};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, std::string(error.what()) + "\nSee " + program + " --help.", 2};
  }
  std::vector<std::string> positionals;
  if (app.count("DEVICE") > 0) positionals.push_back(first);
  if (app.count("VMI") > 0) positionals.push_back(second);
  if (auto fine = finish(app, positionals, options); !fine) return usage_error(program, fine.error());
  return {options, "", 0};
}

}  // namespace usbloop::client
