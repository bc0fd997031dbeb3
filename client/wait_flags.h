#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// --wait[=TIME] and --no-status. They must outlive the parsing.
class WaitFlags {
 public:
  WaitFlags(CLI::App& app, Options& options);

  /// Gives them their meaning when they have been parsed. Errors name the flag.
  Result<> finish();

 private:
  CLI::App& app_;
  Options& options_;
  std::string time_;
};

}  // namespace usbloop::client
