#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/error.h"

namespace usbloop::launcher {

/// The command line of launcher-sim.
struct Options {
  std::string kubeconfig;
  std::string context;
  std::string node_name;
  std::string run_dir;
  std::string guest_dir;
  std::string template_dir;  ///< empty: all guests are booted
  std::string qemu = "qemu-system-x86_64";
  std::string accelerator = "auto";  ///< auto, kvm or tcg
  bool quick_firmware = true;        ///< qboot, where QEMU has it and TCG runs the guests
  int max_vmis = 64;
  std::chrono::seconds ping_interval{10};
  std::chrono::seconds peer_timeout{30};
  bool handoff = true;  ///< hand slots' sockets to an API server on this machine
  std::string log_level = "info";
  std::string dry_run_vmi;  ///< a file: print its QEMU command line and exit
};

/// What to do after the command line has been read.
struct Parsed {
  Options options;
  std::optional<int> exit_code;  ///< set when all is done (--help) or wrong; the text has been printed
};

/// `version`: what --version prints.
Parsed parse_options(int argc, const char* const* argv, const std::string& version);

}  // namespace usbloop::launcher
