#pragma once

#include <memory>
#include <optional>

#include "device-sim/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kStickHelp =
    "  stick,image=FILE[,id=VVVV:PPPP][,speed=full|high|super][,serial=TEXT][,ro]\n"
    "      A USB stick whose content is FILE, a raw image of a multiple of 512 bytes; what the guest writes is in it.\n"
    "      id defaults to 0951:1666, speed to high; ro refuses writing.\n";

/// Makes a Stick from `stick,...`.
Result<std::unique_ptr<Device>> make_stick(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
