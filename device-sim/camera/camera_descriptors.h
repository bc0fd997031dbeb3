#pragma once

#include "device-sim/camera/video_mode.h"
#include "device-sim/emulation/descriptor_set.h"
#include "usbredir/host_end.h"

namespace usbloop::device_sim {

/// The descriptors of a camera at high speed (UVC 1.0): a camera terminal and an output, and one streaming interface,
/// with YUYV and MJPEG. By bulk it has one alternate setting; isochronous an empty one, and those of kIsoSettings.
DescriptorSet camera_descriptors(const usbredir::DeviceDescription& description, VideoTransfers transfers,
                                 const VideoOffer& offer);

}  // namespace usbloop::device_sim
