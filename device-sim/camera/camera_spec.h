#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kCameraHelp =
    "  camera[,transfers=bulk|isochronous][,frames=PATH][,id=VVVV:PPPP][,serial=TEXT]\n"
    "      A camera (UVC) that shows a test pattern, 30, 15, 10 or 5 times a second: YUYV of 320x240 and 640x480,\n"
    "      MJPEG of 1280x720 too; brightness and contrast. With frames it shows a JPEG file, or those of a directory "
    "by\n"
    "      name, again and again, in the size that all have. id defaults to 13d3:5406, transfers to bulk.\n";

/// Makes a Camera from `camera,...`.
Result<std::unique_ptr<Device>> make_camera(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
