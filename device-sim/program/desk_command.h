#pragma once

#include <string>
#include <vector>

namespace usbloop::device_sim {

/// `device-sim desk`: keeps the devices of a desk file until SIGINT or SIGTERM. Returns the exit status.
int run_desk(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace usbloop::device_sim
