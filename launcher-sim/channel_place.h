#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/net/stream.h"
#include "launcher-sim/channel_opening.h"
#include "launcher-sim/channel_sessions.h"
#include "launcher-sim/slot_table.h"

namespace usbloop::launcher {

/// What a session holds besides its client. The members go in reverse: the slot is free last.
struct Place {
  std::optional<SlotTable::Lease> lease;
  std::string socket_name;
  net::StreamPtr device;
};

/// Takes a slot, or takes the console or display away from its holder, and connects to its socket.
asio::awaitable<tl::expected<Place, Refused>> take_place(asio::any_io_executor executor, const Opening& opening,
                                                         SlotTable& slots, SessionList& sessions);

}  // namespace usbloop::launcher
