#pragma once

#include <asio/awaitable.hpp>

#include "common/net/stream.h"
#include "common/websocket/channel.h"
#include "launcher-sim/stream_guard.h"

namespace usbloop::launcher {

/// Carries bytes between the websocket and the device's socket until either side ends, then ends the other: the device
/// is closed at once (the guest sees the unplug); the client gets all bytes of the device and then the end of the
/// stream without a Close frame, as KubeVirt does it. Bounded memory: each direction reads only what it can pass on.
/// `guard`, when not null, sees the client's bytes before the device does; what it refuses ends the session with Close
/// 1008. The console has none: its bytes are a person's.
asio::awaitable<void> bridge(websocket::Channel& channel, net::Stream& device, StreamGuard* guard);

}  // namespace usbloop::launcher
