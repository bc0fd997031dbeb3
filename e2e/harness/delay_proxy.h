#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include "common/fd.h"

namespace usbloop::e2e {

/// A long way to a TCP server of this machine: what goes through arrives `one_way` later, each direction, as fast as it
/// came. Kernels of build machines often lack netem. Up to 64 MiB of a connection are on their way; then nobody reads.
/// A thread of its own, ended by the destructor.
class DelayProxy {
 public:
  /// Throws std::system_error when it cannot listen.
  DelayProxy(std::uint16_t server_port, std::chrono::microseconds one_way);
  ~DelayProxy();
  DelayProxy(const DelayProxy&) = delete;
  DelayProxy& operator=(const DelayProxy&) = delete;

  /// Where it listens, on 127.0.0.1.
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void run();

  const std::uint16_t server_port_;
  const std::chrono::microseconds one_way_;
  std::uint16_t port_ = 0;
  const Fd listener_;
  const Fd stop_;  ///< an eventfd
  std::thread thread_;
};

}  // namespace usbloop::e2e
