#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "usbredir/host_end.h"

namespace usbloop::client {

/// What a device has carried. Written by the thread that carries its bytes, read by any.
struct Traffic {
  std::atomic<std::uint64_t> transfers{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> bytes_to_guest{0};
  std::atomic<std::uint64_t> bytes_from_guest{0};
};

/// `host` with a meter on both directions of its stream; `traffic` outlives it. Looks at the heads of packets only, and
/// changes nothing. A stream that is no usbredir is not counted: whoever reads it ends the session.
std::unique_ptr<usbredir::HostEnd> metered(std::unique_ptr<usbredir::HostEnd> host, Traffic& traffic);

}  // namespace usbloop::client
