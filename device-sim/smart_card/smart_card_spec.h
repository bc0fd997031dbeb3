#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kSmartCardHelp =
    "  smart-card,db=DIRECTORY,certs=NAME[:NAME...][,id=VVVV:PPPP][,serial=TEXT]\n"
    "      A smart-card reader (CCID) with a card (CAC) that has these certificates of a database of NSS, and their\n"
    "      keys. Its PIN is the database's password. id defaults to 08e6:4433. One in a process.\n";

/// Makes a SmartCardReader and its card from `smart-card,...`.
Result<std::unique_ptr<Device>> make_smart_card(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
