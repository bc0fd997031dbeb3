#pragma once

#include <string>
#include <vector>

#include "device-sim/desk/device_info.h"

// What `device-sim ctl` prints. Pure functions; docs/devices.md describes the fields of json.
namespace usbloop::device_sim {

std::string devices_table(const std::vector<desk::DeviceInfo>& devices);
std::string counters_table(const std::vector<desk::DeviceInfo>& devices);
std::string devices_json(const std::vector<desk::DeviceInfo>& devices);

}  // namespace usbloop::device_sim
