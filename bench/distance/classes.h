#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace usbloop::bench {

/// What a guest gets of a device that is no stick, by the milliseconds there and back; a value for each round.
struct ClassFigures {
  std::map<int, std::vector<double>> serial_full;  ///< kB/s of a serial port that sends back what it gets
  std::map<int, std::vector<double>> serial_high;
  std::map<int, std::vector<double>> camera;  ///< pictures of 320x240 a second, of 30 that the guest asks for
};

/// Boots a guest of its own, and plugs in an emulated serial port and a camera through a proxy that delays.
ClassFigures measure_classes(int rounds, const std::vector<int>& round_trips,
                             const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
