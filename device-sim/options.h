#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/net/address.h"
#include "device-sim/spec.h"
#include "usbredir/capture/capture_file.h"

namespace usbloop::device_sim {

using net::Address;  ///< where the usb-guest side is met

struct Options {
  std::string spec;                 ///< of the emulated device
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

/// `emulate` is the value of USBLOOP_EMULATE, the device when --emulate is not given; nothing when it is not set.
CommandLine parse_command_line(const std::string& program, const std::vector<std::string>& arguments,
                               const std::string& version, const std::optional<std::string>& emulate);

}  // namespace usbloop::device_sim
