#pragma once

namespace usbloop {

/// Asks the kernel to let the calling thread run for short times, and soon (a slice of 0.1 ms in place of its 1 to 3
/// ms; sched(7), Linux 6.12 and newer). For a thread that passes bytes on: it needs microseconds for each message, and
/// what is behind it waits for each. Its share of the processor stays the same. Elsewhere, and where it is refused,
/// nothing happens. Threads that the calling thread starts later do likewise.
void ask_for_short_slices();

}  // namespace usbloop
