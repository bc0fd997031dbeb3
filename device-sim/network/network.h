#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "device-sim/network/ethernet.h"

namespace usbloop::network {

/// What is at the other end of an adapter's cable. Thread rule: one thread, that of the adapter; the wake comes from
/// any.
class Network {
 public:
  Network() = default;
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Whether send() has room. When it has none, a wake comes once it has.
  [[nodiscard]] virtual bool has_room() const = 0;
  /// A frame of the guest, kFrameHead to kLongestFrame bytes. It gets lost when there is no room.
  virtual void send(std::span<const std::byte> frame) = 0;

  /// The next frame for the guest, as long; empty: there is none, and a wake comes with the next one.
  virtual Frame receive() = 0;
  /// Frames for the guest that got lost because it took no others, since the network began.
  [[nodiscard]] virtual std::uint64_t lost() const = 0;
  /// Frames of the guest that were thrown away, as they went where it must not go.
  [[nodiscard]] virtual std::uint64_t refused() const = 0;

  /// The cable has gone to somebody else: what is on the way, and all connections, are forgotten.
  virtual void restart() = 0;

  /// What is called, and must only schedule a look. Null: nothing; the one before is not called any more when this
  /// returns.
  virtual void set_wake(std::function<void()> wake) = 0;
};

}  // namespace usbloop::network
