#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/error.h"
#include "device-sim/camera/video_mode.h"

namespace usbloop::device_sim {

/// Makes JPEG pictures of YUYV ones by libjpeg-turbo, with a note for programs that do not decode them: a comment (COM)
/// right behind the JFIF header, `usbloop NUMBER MILLISECONDS CHECKSUM`, the first two of 10 decimal digits, the last
/// of 8 hexadecimal ones: FNV-1a (32 bits) over all bytes behind the comment. Belongs to one thread.
///
/// A picture is compressed in bands of 8 lines with a restart marker between them (ITU-T T.81, F.1.1.5 and B.2.1), so
/// that none depends on another and those that are as in the picture before need no work.
class JpegEncoder {
 public:
  /// The width is a multiple of 16 and the height of 8.
  explicit JpegEncoder(PictureSize size);
  ~JpegEncoder();
  JpegEncoder(JpegEncoder&&) noexcept;
  JpegEncoder& operator=(JpegEncoder&&) noexcept;

  /// `yuyv` is a picture of the size. `jpeg` becomes no longer than half a byte for each pixel. An Error of the
  /// library.
  Result<> encode(std::span<const std::byte> yuyv, std::uint32_t number, std::uint32_t milliseconds,
                  std::vector<std::byte>& jpeg);

 private:
  struct Library;

  std::unique_ptr<Library> library_;
};

}  // namespace usbloop::device_sim
