#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"
#include "usbredir/host_end.h"

// Every kind of device that there is.
namespace usbloop::device_sim {

/// Makes the device; opens and locks its files. `default_id` is used when the description has no id=.
Result<std::unique_ptr<Device>> make_device(const DeviceSpec& spec, std::optional<UsbId> default_id = std::nullopt);

/// The usb-host end of a new usbredir stream for the device that `spec` describes.
Result<std::unique_ptr<usbredir::HostEnd>> make_host_end(std::string_view spec,
                                                         std::optional<UsbId> default_id = std::nullopt);

/// What may be written in a description, for --help.
std::string spec_help();

}  // namespace usbloop::device_sim
