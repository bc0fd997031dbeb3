#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kStickHelp =
    "  stick,image=FILE[,format=raw]|dir=DIRECTORY[,id=VVVV:PPPP][,speed=full|high|super][,serial=TEXT][,ro]\n"
    "      [,overlay]\n"
    "      A USB stick whose content is FILE, a raw image of a multiple of 512 bytes; what the guest writes is in it.\n"
    "      Or DIRECTORY as a FAT32 file system that is only read. id defaults to 0951:1666, speed to high; ro refuses\n"
    "      writing; overlay takes what the guest writes and throws it away at the end (kept in TMPDIR or /var/tmp).\n"
    "      qcow2, VMDK and the like are refused; format=raw takes such a file's bytes as they are.\n";
inline constexpr auto kSsdHelp =
    "  ssd,image=FILE[,format=raw]|dir=DIRECTORY[,id=VVVV:PPPP][,speed=high|super][,serial=TEXT][,ro][,overlay]\n"
    "      An SSD that takes many commands at once (UAS; the other alternate setting has Bulk-Only). As a stick, but\n"
    "      id defaults to 0781:55ae, speed to super.\n";

/// Makes a Stick from `stick,...`, an Ssd from `ssd,...`.
Result<std::unique_ptr<Device>> make_stick(const DeviceSpec& spec, std::optional<UsbId> default_id);
Result<std::unique_ptr<Device>> make_ssd(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
