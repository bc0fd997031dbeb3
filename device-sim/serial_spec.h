#pragma once

#include <memory>
#include <optional>

#include "device-sim/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kSerialHelp =
    "  serial[,id=VVVV:PPPP][,speed=full|high][,serial=TEXT]\n"
    "      A serial port (CDC-ACM, /dev/ttyACM0 in Linux) that sends back all that it gets. id defaults to 2341:0043,\n"
    "      speed to full.\n";

inline constexpr auto kFtdiHelp =
    "  ftdi[,id=VVVV:PPPP][,serial=TEXT]\n"
    "      A serial adapter with FTDI's chip FT232R that sends back all that it gets. id defaults to 0403:6001, which\n"
    "      is what guests know the chip by.\n";

/// Makes an FtdiAdapter from `ftdi,...`.
Result<std::unique_ptr<Device>> make_ftdi(const DeviceSpec& spec, std::optional<UsbId> default_id);

/// Makes a SerialPort from `serial,...`.
Result<std::unique_ptr<Device>> make_serial(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
