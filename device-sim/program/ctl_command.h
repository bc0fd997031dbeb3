#pragma once

#include <string>
#include <vector>

namespace usbloop::device_sim {

/// `device-sim ctl`: does something to the devices of a running desk. Returns the exit status.
int run_ctl(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace usbloop::device_sim
