#pragma once

#include <atomic>
#include <cstdint>

namespace usbloop::net {

/// Bytes that relays have passed on, for a session or for all of them; read from any thread.
struct Traffic {
  std::atomic<std::uint64_t> to_device = 0;  ///< from the client
  std::atomic<std::uint64_t> to_client = 0;  ///< from the device
};

}  // namespace usbloop::net
