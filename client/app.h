#pragma once

#include <string>
#include <vector>

namespace usbloop::client {

/// The whole program: prints to standard output and error, returns the exit status (see --help). `version`: what
/// --version prints.
int run_client(const std::string& argv0, std::vector<std::string> arguments, const std::string& version);

}  // namespace usbloop::client
