#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// --launch and --no-launch: another program of this machine speaks usbredir for the device. They must outlive the
/// parsing.
class ProgramFlags {
 public:
  ProgramFlags(CLI::App& app, Options& options);

  /// Checks them when they have been parsed, before the positional arguments. Errors name the flag.
  Result<> finish();

  /// The help, with the flags as a person types them.
  static std::string shown(std::string help);
  /// `[=PROGRAM]` for a flag that may have a value behind an equals sign; empty for every other.
  static std::string optional_value(const std::string& flag);

 private:
  CLI::App& app_;
  Options& options_;
  std::string launch_;
  std::string no_launch_;
};

/// Whether the program of --launch can be told which device is meant: its --device takes two of our selectors.
Result<> check_launched_device(const Options& options);

}  // namespace usbloop::client
