#pragma once

#include <cstddef>

namespace usbloop::client {

/// What the process keeps of freed memory, at most, for each thread that uses it: what a guest has under way.
inline constexpr std::size_t kKeptMemory = std::size_t{32} << 20;

/// Has the C library keep freed memory up to kKeptMemory, and take buffers of a command from it, for the rest of the
/// process. By itself glibc gives such buffers back to the system with each free(), and every page of the next one is
/// a fault (docs/performance.md has what that costs). Does nothing with other libraries. From any thread, also again.
void keep_large_buffers();

}  // namespace usbloop::client
