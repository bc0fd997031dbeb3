#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "device-sim/camera/video_mode.h"

namespace usbloop::device_sim {

/// What a JPEG file says of itself.
struct JpegHead {
  PictureSize size;
  std::size_t length = 0;  ///< bytes up to the end of the picture; what stands behind it is none of it
};

/// Reads the markers of a JPEG file (ITU-T T.81, annex B), of which nothing else is believed: it is what MJPEG is made
/// of (UVC's payload of Motion-JPEG), a whole baseline picture of 8 bits with one scan. The error says what it is
/// instead, as in "it is progressive".
tl::expected<JpegHead, std::string> read_jpeg_head(std::span<const std::byte> file);

}  // namespace usbloop::device_sim
