#pragma once

#include <string>
#include <vector>

namespace usbloop::device_sim {

/// The program device-sim, from its arguments to its exit code.
int run_program(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace usbloop::device_sim
