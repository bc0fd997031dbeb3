#include "device-sim/program/options.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "device-sim/emulation/fault.h"
#include "usbredir/capture/capture_flags.h"

namespace usbloop::device_sim {
namespace {

constexpr auto kDescription =
    "Offers an emulated USB device by the usbredir protocol, as usbredirect offers a real one.\n"
    "`desk FILE` keeps a desk of them, and `ctl` plugs and unplugs what stands there: see desk --help and ctl "
    "--help.\n";

std::string footer(const std::string& program) {
  return "Devices:\n" + spec_help() +
         "      A comma inside a value is written twice.\n"
         "\n" +
         fault_help() +
         "\n"
         "Examples:\n"
         "  truncate -s 64M disk.img\n"
         "  " +
         program +
         " --emulate stick,image=disk.img --to unix:/tmp/slot.sock\n"
         "  " +
         program +
         " --emulate stick,image=disk.img,speed=super --as 127.0.0.1:4000\n"
         "\n"
         "QEMU takes the device with, for example:\n"
         "  -device qemu-xhci,p2=15,p3=15 -device usb-redir,chardev=usb,port=1\n"
         "  -chardev socket,id=usb,path=/tmp/slot.sock,server=on,wait=off   (for --to unix:/tmp/slot.sock)\n"
         "  -chardev socket,id=usb,host=127.0.0.1,port=4000                 (for --as 127.0.0.1:4000)\n"
         "\n"
         "In the place of usbredirect: link this program as `usbredirect` into the PATH of `virtctl usbredir` and "
         "describe\n"
         "the device in the environment variable USBLOOP_EMULATE; its id is then that of --device. Or name a desk in\n"
         "USBLOOP_DESK: --device then chooses one of its devices.\n"
         "\n"
         "Exit status:\n"
         "  0  ended as asked (Ctrl-C, SIGTERM); the device was taken from the guest and its data is on disk\n"
         "  1  refused, failed, or the other side ended the redirection\n"
         "  2  wrong usage\n";
}

auto refuse(const std::string& what, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, "use", what, std::move(cause), std::move(hint));
}

struct Raw {
  std::string device, to, as, spec, desk;
  bool keepalive = false;
  int verbosity = 0;
};

/// What the environment says.
struct Surroundings {
  std::string emulate, desk;
};

/// Which device: that of a description, or one of a desk.
Result<> choose_kind(const Raw& raw, const Surroundings& around, Options& options) {
  constexpr const char* kBoth = "a device is described, or one of a desk is named, but not both";
  if (!raw.spec.empty() && !raw.desk.empty()) return refuse("--emulate and --desk", kBoth);
  const bool is_said = !raw.spec.empty() || !raw.desk.empty();
  options.spec = is_said ? raw.spec : around.emulate;
  options.desk = is_said ? raw.desk : around.desk;
  if (!options.spec.empty() && !options.desk.empty()) {
    return refuse("USBLOOP_EMULATE and USBLOOP_DESK", kBoth, "Unset one of them.");
  }
  if (options.spec.empty() && options.desk.empty()) {
    return refuse("the command line", "no device is described",
                  "Give --emulate stick,image=FILE, or set USBLOOP_EMULATE to stick,image=FILE; or name a desk with "
                  "--desk FILE or USBLOOP_DESK.");
  }
  return {};
}

/// usbredirect also takes the numbers of VENDOR:PRODUCT with 0x in front. What is no such pair stays as it is: on a
/// desk it may be a name that begins so.
std::string without_prefixes(const std::string& text) {
  std::string id = text;
  for (const std::size_t at : {id.find(':') + 1, std::size_t{0}}) {  // from the back
    if (id.compare(at, 2, "0x") == 0) id.erase(at, 2);
  }
  return parse_usb_id(id) ? id : text;
}

/// What --device says.
Result<> choose_device(const Raw& raw, Options& options) {
  options.wanted = without_prefixes(raw.device);
  if (!options.desk.empty()) {
    if (!raw.device.empty()) return {};
    return refuse("--desk", "--device is missing", "device-sim ctl list shows what the desk has.");
  }
  if (raw.device.empty()) return {};
  options.device = parse_usb_id(options.wanted);
  // usbredirect also takes BUS-DEVICE; an emulated device that stands on no desk is on no bus, so it names no id.
  const auto dash = raw.device.find('-');
  const bool is_bus_device = dash != std::string::npos && dash > 0 && dash + 1 < raw.device.size() &&
                             raw.device.find_first_not_of("0123456789-") == std::string::npos;
  if (options.device || is_bus_device) return {};
  return refuse("--device " + raw.device, "it is neither VENDOR:PRODUCT nor BUS-DEVICE", "For example 0951:1666");
}

Result<std::optional<Address>> address_of(const char* name, const std::string& text, bool given, bool may_choose) {
  if (!given) return std::nullopt;
  auto address = net::parse_address(text);
  if (!address) return tl::unexpected(address.error());
  if (!address->is_unix() && address->port == 0 && !may_choose) return refuse(std::string(name) + " " + text, "port 0");
  return std::optional(std::move(*address));
}

Result<Options> check(const Raw& raw, const CLI::App& app, const Surroundings& around) {
  Options options;
  options.keepalive = raw.keepalive;
  options.verbosity = raw.verbosity;
  if (auto fine = choose_kind(raw, around, options); !fine) return tl::unexpected(fine.error());
  if (auto fine = choose_device(raw, options); !fine) return tl::unexpected(fine.error());
  if ((app.count("--to") > 0) == (app.count("--as") > 0)) {
    return refuse("the command line", "one of --to and --as is needed",
                  "--to HOST:PORT connects, --as HOST:PORT listens.");
  }
  auto to = address_of("--to", raw.to, app.count("--to") > 0, false);
  if (!to) return tl::unexpected(to.error());
  auto as = address_of("--as", raw.as, app.count("--as") > 0, true);
  if (!as) return tl::unexpected(as.error());
  options.to = std::move(*to);
  options.as = std::move(*as);
  return options;
}

CommandLine usage_error(const std::string& program, const Error& error) {
  std::string text = program + ": " + error.message() + "\n";
  if (!error.hint.empty()) text += error.hint + "\n";
  return {std::nullopt, text + "See " + program + " --help.\n", 2};
}

}  // namespace

CommandLine parse_command_line(const std::string& program, const std::vector<std::string>& arguments,
                               const std::string& version, const std::optional<std::string>& emulate,
                               const std::optional<std::string>& desk) {
  Raw raw;
  CLI::App app(kDescription, program);
  app.footer(footer(program));
  app.set_help_flag("-h,-?,--help", "Print this help message and exit");
  app.set_version_flag("--version", version);
  app.add_option(
      "--device", raw.device,
      "VENDOR:PRODUCT, the id of the emulated device unless it has one of its own; with a desk: which of its devices, "
      "by VENDOR:PRODUCT, BUS-DEVICE, port=PATH, serial=TEXT or name");
  app.add_option("--emulate", raw.spec, "The device to emulate (default: $USBLOOP_EMULATE)");
  app.add_option("--desk", raw.desk,
                 "The running desk that has the device, by its file or socket (default: $USBLOOP_DESK)");
  app.add_option("--to", raw.to, "Connect to HOST:PORT or unix:PATH");
  app.add_option("--as", raw.as, "Listen on HOST:PORT or unix:PATH for one connection; port 0 chooses one");
  app.add_flag("-k,--keepalive", raw.keepalive, "Set SO_KEEPALIVE on the socket (connections by --to always have it)");
  app.add_option("-v,--verbose", raw.verbosity, "Log level from 1 to 5, where 5 is the most verbose")
      ->check(CLI::Range(0, 5));
  // Given twice, the last one counts, as with usbredirect.
  for (CLI::Option* option : app.get_options()) option->take_last();
  capture::CaptureOptions captured;
  capture::CaptureFlags capture(app, captured);
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), 0};
  } catch (const CLI::CallForVersion&) {
    return {std::nullopt, version + "\n", 0};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, program + ": " + error.what() + "\nSee " + program + " --help.\n", 2};
  }
  auto options = check(raw, app, {emulate.value_or(""), desk.value_or("")});
  if (!options) return usage_error(program, options.error());
  if (auto fine = capture.finish(); !fine) return usage_error(program, fine.error());
  options->capture = std::move(captured);
  return {std::move(*options)};
}

}  // namespace usbloop::device_sim
