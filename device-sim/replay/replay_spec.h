#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kReplayHelp =
    "  replay,file=FILE[,device=N][,speed=low|full|high|super]\n"
    "      The device of a recording (--record), which answers as it did then as long as the guest asks as it did "
    "then.\n"
    "      device= is its number in the capture (the first one), speed= for recordings that do not say it.\n";

/// Makes a ReplayDevice from `replay,...`.
Result<std::unique_ptr<Device>> make_replay(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
