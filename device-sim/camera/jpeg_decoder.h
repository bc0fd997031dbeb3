#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "common/error.h"
#include "device-sim/camera/video_mode.h"

namespace usbloop::device_sim {

/// Makes YUYV pictures of JPEG ones of a size by libjpeg-turbo. Belongs to one thread.
class JpegDecoder {
 public:
  /// The width is even.
  explicit JpegDecoder(PictureSize size);
  ~JpegDecoder();
  JpegDecoder(JpegDecoder&&) noexcept;
  JpegDecoder& operator=(JpegDecoder&&) noexcept;

  /// Whether the library finds that size in it, and colours that have brightness: YCbCr or grey.
  Result<> check(std::span<const std::byte> jpeg);

  /// `jpeg` is a file that read_jpeg_head() takes. `yuyv` gets the size's bytes. An Error of the library.
  Result<> decode(std::span<const std::byte> jpeg, std::vector<std::byte>& yuyv);

 private:
  struct Library;

  std::unique_ptr<Library> library_;
};

}  // namespace usbloop::device_sim
