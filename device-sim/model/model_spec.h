#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kModelHelp =
    "  model,socket=PATH\n"
    "      A device that a program of yours models, in any language: it listens at a unix socket and speaks lines of\n"
    "      JSON (docs/devices.md; deploy/examples/model.py is one in Python).\n";

/// Makes a ModelDevice from `model,...`.
Result<std::unique_ptr<Device>> make_model(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
