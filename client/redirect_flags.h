#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// What a redirection waits for, tells and may take: --wait, --no-status, --filter, --force. They must outlive the
/// parsing.
class RedirectFlags {
 public:
  RedirectFlags(CLI::App& app, Options& options);

  /// Gives them their meaning when they have been parsed. Errors name the flag.
  Result<> finish();

 private:
  CLI::App& app_;
  Options& options_;
  std::string time_;
  std::vector<std::string> filters_;
  bool no_status_ = false;
};

}  // namespace usbloop::client
