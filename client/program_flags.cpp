#include "client/program_flags.h"

#include <algorithm>
#include <asio/ip/address.hpp>
#include <utility>

namespace usbloop::client {

namespace {

// The values of the flags alone. CLI11 shows them in braces behind the flag; shown() puts what is meant there.
constexpr const char* kProgram = "usbredirect";
constexpr const char* kAnyPort = "127.0.0.1:0";

void replace(std::string& text, const std::string& from, std::string to) {
  to.resize(std::max(to.size(), from.size()), ' ');  // the columns stay
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

bool is_loopback(const std::string& host) {
  asio::error_code code;
  const auto address = asio::ip::make_address(host, code);
  return code ? host == "localhost" : address.is_loopback();
}

Result<net::Address> place_of(const std::string& text) {
  auto address = net::parse_address(text);
  if (!address) return tl::unexpected(address.error());
  if (address->is_unix() || is_loopback(address->host)) return address;
  return make_error(ErrorKind::invalid, "use", "--no-launch=" + text, "it is not an address of this machine alone",
                    "Whoever connects there gives the virtual machine a device. Write 127.0.0.1:PORT or unix:PATH.");
}

}  // namespace

ProgramFlags::ProgramFlags(CLI::App& app, Options& options) : app_(app), options_(options) {
  app.add_flag(std::string("--launch{") + kProgram + "}", launch_,
               "Start a program that redirects DEVICE, with --device DEVICE --to 127.0.0.1:PORT [usbredirect]");
  app.add_flag(std::string("--no-launch{") + kAnyPort + "}", no_launch_,
               "Print an address and wait there for one such program: 127.0.0.1:PORT or unix:PATH [any port]");
}

Result<> ProgramFlags::finish() {
  // As with virtctl's switches, a value may say true or false.
  const bool is_off = app_.count("--no-launch") == 0 || no_launch_ == "false";
  if (!is_off) {
    auto place = place_of(no_launch_ == "true" ? kAnyPort : no_launch_);
    if (!place) return tl::unexpected(place.error());
    options_.listen = std::move(*place);
  }
  if (app_.count("--launch") > 0) options_.launch = launch_ == "true" ? kProgram : launch_;
  const bool is_launch = !options_.launch.empty();
  if (!is_launch && !options_.listen) return {};
  const char* const flag = is_launch ? "--launch" : "--no-launch";
  const auto refuse = [flag](const char* cause) { return make_error(ErrorKind::invalid, "use", flag, cause); };
  if (is_launch && options_.listen) return refuse("it contradicts --no-launch");
  if (!options_.emulate.empty()) return refuse("with --emulate this program itself speaks for the device");
  if (options_.list || options_.give_back || options_.doctor) return refuse("it belongs to a redirection");
  if (!options_.capture.path.empty()) return refuse("--capture sees only what this program itself redirects");
  if (options_.transport != Transport::automatic) return refuse("--transport is about what this program redirects");
  return {};
}

Result<> check_launched_device(const Options& options) {
  if (options.launch.empty()) return {};
  if (options.selectors.size() != 1) {
    return make_error(ErrorKind::invalid, "use", "--launch", "the program takes one device, named before the VMI");
  }
  const auto& selector = options.selectors.front();
  const bool is_known = std::holds_alternative<VendorProduct>(selector) || std::holds_alternative<BusDevice>(selector);
  if (is_known) return {};
  return make_error(ErrorKind::invalid, "use", to_string(selector) + " with --launch",
                    options.launch + " takes VENDOR:PRODUCT or BUS-DEVICE only");
}

std::string ProgramFlags::optional_value(const std::string& flag) {
  if (flag == "--wait") return "[=TIME]";
  return flag == "--launch" ? "[=PROGRAM]" : flag == "--no-launch" ? "[=ADDRESS]" : "";
}

std::string ProgramFlags::shown(std::string help) {
  for (const auto& [flag, value] :
       {std::pair<std::string, std::string>("--launch", kProgram), {"--no-launch", kAnyPort}}) {
    replace(help, flag + "{" + value + "}", flag + optional_value(flag));
  }
  return help;
}

}  // namespace usbloop::client
