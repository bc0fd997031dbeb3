#pragma once

#include <string>
#include <vector>

namespace usbloop::device_sim {

/// The program device-sim, from its arguments to its exit code. `version`: what --version prints.
int run_program(const std::string& program, const std::vector<std::string>& arguments, const std::string& version);

}  // namespace usbloop::device_sim
