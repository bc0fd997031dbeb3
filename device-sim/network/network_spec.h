#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kNetworkHelp =
    "  network[,ports='PORT "
    "PORT...'][,outside][,mac=XX:XX:XX:XX:XX:XX][,id=VVVV:PPPP][,speed=full|high][,serial=TEXT]\n"
    "      A network adapter (CDC-ECM) at a network of the guest's own, 10.0.2.0/24 with DHCP. The guest reaches "
    "nothing\n"
    "      but ports= of this machine's loopback, at 10.0.2.2; with outside also wherever this machine's user gets. "
    "mac\n"
    "      is made from serial, id defaults to 0525:a4a1, speed to high.\n";

/// Makes a NetworkAdapter and its network from `network,...`.
Result<std::unique_ptr<Device>> make_network(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
