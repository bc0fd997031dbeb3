#include "device-sim/camera/jpeg_decoder.h"

#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <string>

namespace usbloop::device_sim {
namespace {

/// From the full range of JPEG (JFIF 1.02) to the studio range of YUYV, whose span `range` begins at `to`.
constexpr std::array<std::byte, 256> studio_range(int from, int to, int range) {
  std::array<std::byte, 256> table{};
  for (int value = 0; value < 256; ++value) {
    const int scaled = (value - from) * range * 2 + (value >= from ? 255 : -255);
    table.at(static_cast<std::size_t>(value)) = static_cast<std::byte>(scaled / (2 * 255) + to);
  }
  return table;
}
constexpr auto kStudioLuma = studio_range(0, 16, 219), kStudioChroma = studio_range(128, 128, 224);

tl::unexpected<Error> decoder_failure(std::string cause) {
  return make_error(ErrorKind::invalid, "decode a picture", "", std::move(cause));
}

}  // namespace

struct JpegDecoder::Library {
  explicit Library(PictureSize its_size) : size(its_size) {}
  ~Library() {
    if (reader != nullptr) ::tjDestroy(reader);
    if (writer != nullptr) ::tjDestroy(writer);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  PictureSize size;
  tjhandle reader = ::tjInitDecompress(), writer = ::tjInitCompress();
  std::vector<unsigned char> colours, y, u, v;  ///< RGB, and what becomes of it; empty before the first picture
};

JpegDecoder::JpegDecoder(PictureSize size) : library_(std::make_unique<Library>(size)) {}
JpegDecoder::~JpegDecoder() = default;
JpegDecoder::JpegDecoder(JpegDecoder&&) noexcept = default;
JpegDecoder& JpegDecoder::operator=(JpegDecoder&&) noexcept = default;

Result<> JpegDecoder::check(std::span<const std::byte> jpeg) {
  int width = 0, height = 0, subsampling = 0, colours = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(jpeg.data());
  if (::tjDecompressHeader3(library_->reader, bytes, jpeg.size(), &width, &height, &subsampling, &colours) != 0) {
    return decoder_failure(::tjGetErrorStr2(library_->reader));
  }
  if (width != library_->size.width || height != library_->size.height) return decoder_failure("it has another size");
  if (colours != TJCS_YCbCr && colours != TJCS_GRAY) return decoder_failure("its colours are no YCbCr");
  return {};
}

// By way of RGB, so that the library brings any subsampling to that of YUYV.
Result<> JpegDecoder::decode(std::span<const std::byte> jpeg, std::vector<std::byte>& yuyv) {
  if (auto fine = check(jpeg); !fine) return fine;
  Library& library = *library_;
  const PictureSize size = library.size;
  library.colours.resize(std::size_t{size.pixels()} * 3);
  library.y.resize(size.pixels());
  for (auto* chroma : {&library.u, &library.v}) chroma->resize(size.pixels() / 2);
  const auto* bytes = reinterpret_cast<const unsigned char*>(jpeg.data());
  if (::tjDecompress2(library.reader, bytes, jpeg.size(), library.colours.data(), size.width, 0, size.height, TJPF_RGB,
                      TJFLAG_STOPONWARNING) != 0) {
    return decoder_failure(::tjGetErrorStr2(library.reader));
  }
  std::array<unsigned char*, 3> planes = {library.y.data(), library.u.data(), library.v.data()};
  if (::tjEncodeYUVPlanes(library.writer, library.colours.data(), size.width, 0, size.height, TJPF_RGB, planes.data(),
                          nullptr, TJSAMP_422, 0) != 0) {
    return decoder_failure(::tjGetErrorStr2(library.writer));
  }
  yuyv.resize(size.bytes());
  for (std::size_t i = 0; i < library.u.size(); ++i) {
    yuyv[4 * i] = kStudioLuma[library.y[2 * i]];
    yuyv[4 * i + 1] = kStudioChroma[library.u[i]];
    yuyv[4 * i + 2] = kStudioLuma[library.y[2 * i + 1]];
    yuyv[4 * i + 3] = kStudioChroma[library.v[i]];
  }
  return {};
}

}  // namespace usbloop::device_sim
