#include "device-sim/camera/picture_source.h"

#include <optional>
#include <utility>

#include "device-sim/camera/jpeg_decoder.h"
#include "device-sim/camera/jpeg_encoder.h"
#include "device-sim/camera/test_pattern.h"

namespace usbloop::device_sim {
namespace {

class PatternSource final : public PictureSource {
 public:
  PatternSource(PictureSize size, PictureFormat format)
      : size_(size), pattern_(size.width, size.height), drawn_(size.bytes()) {
    if (format == PictureFormat::mjpeg) encoder_.emplace(size);
  }

  Result<> make(std::uint32_t number, std::uint32_t time, const Tone& tone, std::vector<std::byte>& bytes) override {
    if (!encoder_) {
      bytes.resize(size_.bytes());
      pattern_.draw(number, time, tone, bytes);
      return {};
    }
    pattern_.draw(number, time, tone, drawn_);
    return encoder_->encode(drawn_, number, time, bytes);
  }

 private:
  PictureSize size_;
  TestPattern pattern_;
  std::vector<std::byte> drawn_;        ///< YUYV
  std::optional<JpegEncoder> encoder_;  ///< of MJPEG
};

class FileSource final : public PictureSource {
 public:
  FileSource(std::shared_ptr<const PictureFiles> files, PictureFormat format) : files_(std::move(files)) {
    if (format == PictureFormat::yuyv) decoder_.emplace(files_->size());
  }

  Result<> make(std::uint32_t number, std::uint32_t, const Tone& tone, std::vector<std::byte>& bytes) override {
    const auto jpeg = files_->at(number % files_->count());
    if (!decoder_) {
      bytes.assign(jpeg.begin(), jpeg.end());
      return {};
    }
    if (auto decoded = decoder_->decode(jpeg, bytes); !decoded) return decoded;
    if (tone == Tone{}) return {};
    const auto luma = luma_of(tone);
    for (std::size_t at = 0; at < bytes.size(); at += 2) bytes[at] = luma[std::to_integer<std::size_t>(bytes[at])];
    return {};
  }

 private:
  std::shared_ptr<const PictureFiles> files_;
  std::optional<JpegDecoder> decoder_;  ///< of YUYV
};

}  // namespace

std::unique_ptr<PictureSource> pattern_source(PictureSize size, PictureFormat format) {
  return std::make_unique<PatternSource>(size, format);
}

std::unique_ptr<PictureSource> file_source(std::shared_ptr<const PictureFiles> files, PictureFormat format) {
  return std::make_unique<FileSource>(std::move(files), format);
}

}  // namespace usbloop::device_sim
