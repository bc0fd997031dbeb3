#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/net/address.h"
#include "device-sim/emulation/spec.h"
#include "usbredir/capture/capture_file.h"

namespace usbloop::device_sim {

using net::Address;  ///< where the usb-guest side is met

struct Options {
  std::string spec;                 ///< of the emulated device; empty: it is one of the desk's
  std::string desk;                 ///< its file or its socket
  std::string wanted;               ///< --device as it stands: which one of the desk's
  std::optional<UsbId> device;      ///< --device VENDOR:PRODUCT
  std::optional<Address> to, as;    ///< one of them is set
  capture::CaptureOptions capture;  ///< without a path: none
  bool keepalive = false;
  int verbosity = 0;  ///< 0 (warnings only) to 5
};

/// What the command line came to: options, or text to print and an exit code.
struct CommandLine {
  std::optional<Options> options;
  std::string text = {};
  int exit_code = 0;
};

/// `emulate` and `desk` are the values of USBLOOP_EMULATE and USBLOOP_DESK, for the device when neither --emulate nor
/// --desk is given; nothing when they are not set.
CommandLine parse_command_line(const std::string& program, const std::vector<std::string>& arguments,
                               const std::string& version, const std::optional<std::string>& emulate,
                               const std::optional<std::string>& desk = std::nullopt);

}  // namespace usbloop::device_sim
