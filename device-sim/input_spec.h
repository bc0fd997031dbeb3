#pragma once

#include <memory>
#include <optional>

#include "device-sim/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kKeyboardHelp =
    "  keyboard[,text=TEXT][,delay=MS][,pace=MS][,id=VVVV:PPPP][,speed=low|full][,serial=TEXT]\n"
    "      A keyboard that types TEXT, once, MS (1000) after the guest has begun to listen, with pace= (10 ms) "
    "between\n"
    "      two changes of its keys. In TEXT \\n is Enter, \\t Tab, \\b Backspace, \\e Escape, \\\\ a backslash, and\n"
    "      \\{NAME} a key: \\{f1}, \\{up}, \\{ctrl-alt-delete}. id defaults to 046d:c31c, speed to low.\n";

/// Makes a Keyboard from `keyboard,...`.
Result<std::unique_ptr<Device>> make_keyboard(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
