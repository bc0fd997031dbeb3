#pragma once

#include "bench/devices/device_guest.h"

namespace usbloop::bench {

/// Seconds that a guest takes to move `bytes` from the beginning of a disk, 128 KiB with each command.
struct DiskTimes {
  double read = 0;
  double write = 0;
  double flushed = 0;  ///< written, and SYNCHRONIZE CACHE answered
};

/// As usb-storage does it: one command at a time, and command, data and status one after the other.
DiskTimes time_stick(DeviceGuest& guest, std::uint64_t bytes);
/// As uas does it at super speed: eight commands at once, each with a stream.
DiskTimes time_ssd(DeviceGuest& guest, std::uint64_t bytes);

}  // namespace usbloop::bench
