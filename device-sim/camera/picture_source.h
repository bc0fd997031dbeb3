#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/error.h"
#include "device-sim/camera/picture_controls.h"
#include "device-sim/camera/picture_files.h"
#include "device-sim/camera/video_mode.h"

namespace usbloop::device_sim {

/// Where a stream's pictures come from. Belongs to one thread.
class PictureSource {
 public:
  virtual ~PictureSource() = default;

  /// The picture of that number, from 0 on, as it is sent into `bytes`; `time`: milliseconds since streaming began. An
  /// Error says why there is no such picture.
  virtual Result<> make(std::uint32_t number, std::uint32_t time, const Tone& tone, std::vector<std::byte>& bytes) = 0;
};

/// A TestPattern.
std::unique_ptr<PictureSource> pattern_source(PictureSize size, PictureFormat format);

/// Files, again and again. MJPEG is their bytes, which no tone changes.
std::unique_ptr<PictureSource> file_source(std::shared_ptr<const PictureFiles> files, PictureFormat format);

}  // namespace usbloop::device_sim
