#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <string>

#include "common/error.h"
#include "launcher-sim/channel_request.h"
#include "launcher-sim/guest_action.h"

namespace usbloop::launcher {

/// Has something done to a guest; `done` is called once, from any thread. Must not block.
using PerformAction =
    std::function<void(const std::string& uid, GuestAction action, std::function<void(const Result<>&)> done)>;

/// The whole answer to a request that is no stream (ChannelRequest::Kind::action and agent), as virt-handler and
/// virt-launcher write it. Runs in the loop's thread and waits for the action there.
asio::awaitable<std::string> answer_action(asio::io_context& loop, const PerformAction& perform, ChannelRequest request,
                                           std::string uid);

}  // namespace usbloop::launcher
