#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kSerialHelp =
    "  serial[,to=HOST:PORT|,pty=LINK|,command=TEXT][,id=VVVV:PPPP][,speed=full|high][,serial=TEXT]\n"
    "      A serial port (CDC-ACM, /dev/ttyACM0 in Linux) that sends back all that it gets, or whose other end is a\n"
    "      connection (also unix:PATH), a pseudoterminal, or a shell command's standard input and output. id defaults\n"
    "      to 2341:0043, speed to full.\n";

inline constexpr auto kFtdiHelp =
    "  ftdi[,to=HOST:PORT|,pty=LINK|,command=TEXT][,id=VVVV:PPPP][,serial=TEXT]\n"
    "      The same by a serial adapter with FTDI's chip FT232R (/dev/ttyUSB0). id defaults to 0403:6001, which is "
    "what\n"
    "      guests know the chip by.\n";

/// Makes an FtdiAdapter from `ftdi,...`.
Result<std::unique_ptr<Device>> make_ftdi(const DeviceSpec& spec, std::optional<UsbId> default_id);

/// Makes a SerialPort from `serial,...`.
Result<std::unique_ptr<Device>> make_serial(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
