#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kKeyboardHelp =
    "  keyboard[,media][,text=TEXT][,delay=MS][,pace=MS][,id=VVVV:PPPP][,speed=low|full][,serial=TEXT]\n"
    "      A keyboard that types TEXT, once, MS (1000) after the guest has begun to listen, with pace= (10 ms) "
    "between\n"
    "      two changes of its keys. In TEXT \\n is Enter, \\t Tab, \\b Backspace, \\e Escape, \\\\ a backslash, and\n"
    "      \\{NAME} a key: \\{f1}, \\{up}, \\{ctrl-alt-delete}; with media also \\{volume-up} and\n"
    "      other media keys, on an interface of their own. id defaults to 046d:c31c, speed to low.\n";

inline constexpr auto kMouseHelp =
    "  mouse[,do=SCRIPT][,delay=MS][,pace=MS][,id=VVVV:PPPP][,speed=low|full][,serial=TEXT]\n"
    "      A mouse that does, once, what the words of SCRIPT say: move:X:Y, wheel:N, and click:, press: or release: "
    "with\n"
    "      left, right or middle. As a keyboard, but id defaults to 046d:c077.\n";

/// Makes a Keyboard from `keyboard,...`, a Mouse from `mouse,...`.
Result<std::unique_ptr<Device>> make_keyboard(const DeviceSpec& spec, std::optional<UsbId> default_id);
Result<std::unique_ptr<Device>> make_mouse(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
