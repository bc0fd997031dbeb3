#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "e2e/harness/api.h"

namespace usbloop::bench {

/// Clients that watch all VMIs, each with a connection and a thread, and one that patches VMI 0: what they see of its
/// writes. Functions throw e2e::Failure.
class Watchers {
 public:
  /// All watch when it returns.
  Watchers(const e2e::Api& api, std::size_t count);
  ~Watchers();
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;

  /// Writes as fast as one client can make them.
  struct Burst {
    double writes_per_second = 0;
    double events_per_second = 0;  ///< to all watchers together, until the last one has the last event
  };
  Burst burst(std::size_t writes);
  /// One write; the milliseconds from its sending to its event at each watcher, ascending.
  std::vector<double> single();

 private:
  struct State;
  explicit Watchers(std::unique_ptr<State> state);
  void patch();

  std::unique_ptr<State> state_;
  std::vector<std::jthread> threads_;
};

}  // namespace usbloop::bench
