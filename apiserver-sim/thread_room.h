#pragma once

#include <cstddef>

#include "common/error.h"

namespace usbloop::apiserver {

/// Whether the system lets this process have `count` more threads now, and memory for their work (ulimit -u, -v; a
/// container's limits). Ask before the first is made: a thread pool that gets only some of its threads can neither
/// start nor end.
Result<> check_thread_room(std::size_t count);

}  // namespace usbloop::apiserver
