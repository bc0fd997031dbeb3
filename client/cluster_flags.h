#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "client/options.h"
#include "common/error.h"

namespace usbloop::client {

/// kubectl's own flags: which cluster, as whom. They must outlive the parsing.
class ClusterFlags {
 public:
  /// `options` receives what needs no check.
  ClusterFlags(CLI::App& app, Options& options);

  /// Checks them when they have been parsed. Errors name the flag.
  Result<> finish();

 private:
  CLI::App& app_;
  Options& options_;
  std::string request_timeout_;
};

}  // namespace usbloop::client
