#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/kube/kubeconfig.h"

namespace usbloop::bench {

inline double microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// What a crowd of sessions came to.
struct Traffic {
  double seconds = 0;
  std::vector<double> times_us;  ///< of each round trip
  [[nodiscard]] double per_second() const { return seconds > 0 ? double(times_us.size()) / seconds : 0; }
};

/// What a crowd does: the first `active` sessions send `bytes` and wait for the echo, again and again; `pause` between
/// two round trips of a session makes it a quiet one. With `greedy`, the last session sends all the time as much as
/// goes through.
struct CrowdPlan {
  std::size_t active = 0;
  std::size_t bytes = 512;
  std::chrono::milliseconds time{1000};
  std::chrono::milliseconds pause{0};
  bool greedy = false;
};

/// Many sessions on one road, in one thread. Functions throw e2e::Failure.
class Swarm {
 public:
  virtual ~Swarm() = default;
  /// Opens sessions, one after the other, until there are `count`. Returns the milliseconds that each took, hellos
  /// included.
  virtual std::vector<double> grow_to(std::size_t count) = 0;
  virtual Traffic run(const CrowdPlan& plan) = 0;
};

/// Over TCP. Knows neither pauses nor a greedy one: it is the floor's.
std::unique_ptr<Swarm> make_socket_swarm(std::uint16_t port);
/// Through the client library; `path_of(i)` is the subresource that session i opens.
std::unique_ptr<Swarm> make_channel_swarm(const kube::ClusterAccess& access,
                                          std::function<std::string(std::size_t)> path_of);

}  // namespace usbloop::bench
