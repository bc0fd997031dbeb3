#pragma once

#include <asio/awaitable.hpp>
#include <functional>

#include "bridge/stream_guard.h"
#include "common/net/stream.h"
#include "common/net/traffic.h"
#include "common/websocket/channel.h"

namespace usbloop::bridge {

/// What a bridge works with. The references outlive it.
struct Ends {
  websocket::Channel& channel;
  net::Stream& device;
  /// Sees the client's bytes before the device does, unless it is null. What it refuses ends the session with Close
  /// 1008. The console has no guard: a person types its bytes.
  StreamGuard* guard = nullptr;
  /// Closes the device and gives up what the session holds of it; may be called more than once. The client may take a
  /// second longer to be done.
  std::function<void()> end_device;
  net::Traffic& traffic;  ///< counts up while the session runs
};

/// Carries bytes between the websocket and the device's socket until either side ends, then ends the other. When the
/// client ends, the device is closed at once, so the guest sees the unplug. When the device ends, the client gets all
/// its bytes and then the end of the stream without a Close frame, as from KubeVirt.
///
/// A side that takes no more bytes may still have sent some: they are read for some seconds and passed on. Memory is
/// bounded: each direction reads only what it can pass on.
asio::awaitable<void> run(Ends ends);

}  // namespace usbloop::bridge
