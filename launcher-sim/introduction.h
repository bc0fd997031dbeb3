#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "launcher-sim/console_lines.h"

// What a copy of a template is told before it is anybody's machine (guest/root/lib/usbloop/clone has the other side).
namespace usbloop::launcher {

/// How a machine differs from its template.
struct CloneIdentity {
  std::string kernel_parameters;
  std::string boot_id;  ///< a UUID
};

/// A line `renew`: the clock is to be set to `time` since the epoch, and `seed` is new randomness.
std::string renew_line(std::chrono::nanoseconds time, const std::array<std::uint8_t, 32>& seed);

/// Tells it to the guest, whose processor runs by now. On return the guest's clock is at most 100 ms off, it has fresh
/// randomness, and it goes on to say that it is ready. A clock that a loaded machine kept from being set in time is set
/// again; ErrorKind::timeout when all of it takes longer than `timeout`. ErrorKind::invalid when the parameters hold
/// what cannot be said in a line, protocol when the guest could not do as it was told.
Result<> introduce(ConsoleLines& console, const CloneIdentity& identity, std::chrono::milliseconds timeout,
                   const std::stop_token& stop);

}  // namespace usbloop::launcher
