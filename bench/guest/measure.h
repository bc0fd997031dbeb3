#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/statistics.h"

namespace usbloop::bench {

struct GuestOptions {
  int rounds = 5;
  std::size_t mib = 64;  ///< read by each dd
  int reads = 3;         ///< of each attached stick, one after the other, measured together
};

/// MB/s (10^6 bytes), a value for each round.
struct GuestFigures {
  std::vector<double> direct;
  std::vector<double> ours;
};

struct GuestResults {
  std::map<std::string, GuestFigures> by_speed;  ///< "high" and "super"
  double seconds = 0;
};

/// Boots one guest and plugs the emulated stick into the same slot again and again, in random order: by device-sim at
/// QEMU's own socket, and by kubectl-usbredir through the API server and the node.
GuestResults measure_guest(const GuestOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
