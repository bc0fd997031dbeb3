#include "device-sim/options.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "device-sim/fault.h"
#include "usbredir/capture/capture_flags.h"

namespace usbloop::device_sim {
namespace {

constexpr auto kDescription =
    "Offers an emulated USB device by the usbredir protocol, as usbredirect offers a real one.\n";

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
         "the device in the environment variable USBLOOP_EMULATE; its id is then that of --device.\n"
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
  std::string device, to, as, spec;
  bool keepalive = false;
  int verbosity = 0;
};

Result<std::optional<Address>> address_of(const char* name, const std::string& text, bool given, bool may_choose) {
  if (!given) return std::nullopt;
  auto address = net::parse_address(text);
  if (!address) return tl::unexpected(address.error());
  if (!address->is_unix() && address->port == 0 && !may_choose) return refuse(std::string(name) + " " + text, "port 0");
  return std::optional(std::move(*address));
}

Result<Options> check(const Raw& raw, const CLI::App& app, const std::optional<std::string>& emulate) {
  Options options;
  options.keepalive = raw.keepalive;
  options.verbosity = raw.verbosity;
  if (app.count("--device") > 0) {
    options.device = parse_usb_id(raw.device);
    // usbredirect also takes BUS-DEVICE; an emulated device is on no bus, so there it names no id.
    const auto dash = raw.device.find('-');
    const bool bus_device = dash != std::string::npos && dash > 0 && dash + 1 < raw.device.size() &&
                            raw.device.find_first_not_of("0123456789-") == std::string::npos;
    if (!options.device && !bus_device) {
      return refuse("--device " + raw.device, "it is neither VENDOR:PRODUCT nor BUS-DEVICE", "For example 0951:1666");
    }
  }
  options.spec = app.count("--emulate") > 0 ? raw.spec : emulate.value_or("");
  if (options.spec.empty()) {
    return refuse("the command line", "no device is described",
                  "Give --emulate stick,image=FILE, or set USBLOOP_EMULATE to stick,image=FILE.");
  }
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
                               const std::string& version, const std::optional<std::string>& emulate) {
  Raw raw;
  CLI::App app(kDescription, program);
  app.footer(footer(program));
  app.set_version_flag("--version", version);
  app.add_option("--device", raw.device, "VENDOR:PRODUCT, the id of the emulated device unless it has one of its own");
  app.add_option("--emulate", raw.spec, "The device to emulate (default: $USBLOOP_EMULATE)");
  app.add_option("--to", raw.to, "Connect to HOST:PORT or unix:PATH");
  app.add_option("--as", raw.as, "Listen on HOST:PORT or unix:PATH for one connection; port 0 chooses one");
  app.add_flag("-k,--keepalive", raw.keepalive, "Set SO_KEEPALIVE on the socket (connections by --to always have it)");
  app.add_option("-v,--verbose", raw.verbosity, "Log level from 1 to 5, where 5 is the most verbose")
      ->check(CLI::Range(0, 5));
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
  auto options = check(raw, app, emulate);
  if (!options) return usage_error(program, options.error());
  if (auto fine = capture.finish(); !fine) return usage_error(program, fine.error());
  options->capture = std::move(captured);
  return {std::move(*options)};
}

}  // namespace usbloop::device_sim
