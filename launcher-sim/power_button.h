#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "launcher-sim/qmp.h"

namespace usbloop::launcher {

/// Whether the guest's system listens for the machine's power button, that is, has enabled it in ACPI's PM1 enable
/// register. Firmware, boot loader and a starting kernel have not: QEMU then drops every press, as a PC does. Nothing
/// when QEMU does not say.
std::optional<bool> listens_for_power_button(Qmp& qmp, std::chrono::milliseconds timeout);

/// The same of what QEMU's monitor answers ("portw[0x0602] = 0x0120"). Pure.
std::optional<bool> power_button_enabled(std::string_view answer);

}  // namespace usbloop::launcher
