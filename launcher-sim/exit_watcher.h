#pragma once

#include <asio/io_context.hpp>
#include <functional>

#include "common/fd.h"

namespace usbloop::launcher {

/// Calls `ended` in the loop's thread when `pidfd` says that its process has ended. May be called from any thread.
void watch_exit(asio::io_context& loop, Fd pidfd, std::function<void()> ended);

}  // namespace usbloop::launcher
