#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/statistics.h"

namespace usbloop::bench {

struct GuestOptions {
  int rounds = 5;
  int guests = 1;        ///< each with a stick of its own, all read at once
  std::size_t mib = 64;  ///< read by each dd
  int reads = 3;         ///< of each attached stick, one after the other, measured together
};

/// How the stick comes to the guest.
enum class GuestRoad {
  direct,  ///< device-sim at QEMU's own socket
  ours,    ///< kubectl-usbredir through the API server and the node, the stick as it is
  uas      ///< the same with --transport uas
};

/// MB/s (10^6 bytes) of all guests together, a value for each round.
using GuestFigures = std::map<GuestRoad, std::vector<double>>;

struct GuestResults {
  std::map<std::string, GuestFigures> by_speed;  ///< "high" and "super"
  double seconds = 0;
};

/// Boots the guests and plugs the emulated sticks into the same slots again and again, by each road in random order.
GuestResults measure_guest(const GuestOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
