#pragma once

#include <string>
#include <vector>

namespace usbloop::client {

/// The whole program: prints to standard output and error, returns the exit status (see --help).
int run_client(const std::string& argv0, const std::vector<std::string>& arguments);

}  // namespace usbloop::client
