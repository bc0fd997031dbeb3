#include "device-sim/camera/jpeg_encoder.h"

#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace usbloop::device_sim {
namespace {

constexpr std::size_t kJfifHeader = 20;  // SOI, and APP0 with no thumbnail
constexpr std::size_t kNote = sizeof "usbloop 0000000000 0000000000 00000000" - 1;
constexpr std::size_t kComment = 4 + kNote;  // with marker and length
constexpr int kQuality = 80;
constexpr auto kOperation = "compress a picture";

using Table = std::array<unsigned char, 256>;

/// YUYV has studio range, JPEG the full one (JFIF 1.02): `from` of the first is `to` of the other, in steps of
/// 255/range.
constexpr Table full_range(int from, int to, int range) {
  Table table{};
  for (int value = 0; value < 256; ++value) {
    const int scaled = ((value - from) * 255 * 2 + (value >= from ? range : -range)) / (2 * range) + to;
    table.at(static_cast<std::size_t>(value)) = static_cast<unsigned char>(std::clamp(scaled, 0, 255));
  }
  return table;
}
constexpr Table kLuma = full_range(16, 0, 219), kChroma = full_range(128, 128, 224);

std::uint32_t fnv(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0x811c9dc5;
  for (const std::byte byte : bytes) sum = (sum ^ std::to_integer<std::uint32_t>(byte)) * 0x01000193;
  return sum;
}

/// The header, the comment, and the rest.
void write_noted(std::span<const std::byte> packed, std::uint32_t number, std::uint32_t time,
                 std::vector<std::byte>& jpeg) {
  const auto rest = packed.subspan(kJfifHeader);
  std::array<char, kNote + 1> note{};
  std::snprintf(note.data(), note.size(), "usbloop %010u %010u %08x", number, time, fnv(rest));
  jpeg.assign(packed.begin(), packed.begin() + kJfifHeader);
  constexpr std::size_t kLength = kComment - 2;
  for (const std::size_t byte : {std::size_t{0xff}, std::size_t{0xfe}, kLength >> 8, kLength & 0xff}) {
    jpeg.push_back(static_cast<std::byte>(byte));
  }
  const auto text = std::as_bytes(std::span(note).first(kNote));
  jpeg.insert(jpeg.end(), text.begin(), text.end());
  jpeg.insert(jpeg.end(), rest.begin(), rest.end());
}

}  // namespace

struct JpegEncoder::Library {
  explicit Library(PictureSize size)
      : y(size.pixels()),
        u(size.pixels() / 2),
        v(size.pixels() / 2),
        packed(::tjBufSize(size.width, size.height, TJSAMP_422)) {}
  ~Library() {
    if (handle != nullptr) ::tjDestroy(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  tjhandle handle = ::tjInitCompress();
  std::vector<unsigned char> y, u, v;
  std::vector<unsigned char> packed;  ///< what the library makes
};

JpegEncoder::JpegEncoder(PictureSize size) : size_(size), library_(std::make_unique<Library>(size)) {}
JpegEncoder::~JpegEncoder() = default;
JpegEncoder::JpegEncoder(JpegEncoder&&) noexcept = default;
JpegEncoder& JpegEncoder::operator=(JpegEncoder&&) noexcept = default;

Result<> JpegEncoder::encode(std::span<const std::byte> yuyv, std::uint32_t number, std::uint32_t milliseconds,
                             std::vector<std::byte>& jpeg) {
  Library& library = *library_;
  for (std::size_t i = 0; i < library.u.size(); ++i) {
    const auto value = [&](std::size_t at) { return std::to_integer<std::uint8_t>(yuyv[4 * i + at]); };
    library.y[2 * i] = kLuma[value(0)];
    library.u[i] = kChroma[value(1)];
    library.y[2 * i + 1] = kLuma[value(2)];
    library.v[i] = kChroma[value(3)];
  }
  std::array<const unsigned char*, 3> planes = {library.y.data(), library.u.data(), library.v.data()};
  unsigned char* place = library.packed.data();
  unsigned long length = library.packed.size();  // the library's type. NOLINT(google-runtime-int)
  if (::tjCompressFromYUVPlanes(library.handle, planes.data(), size_.width, nullptr, size_.height, TJSAMP_422, &place,
                                &length, kQuality, TJFLAG_NOREALLOC) != 0) {
    return make_error(ErrorKind::internal, kOperation, "", ::tjGetErrorStr2(library.handle));
  }
  const auto packed = std::as_bytes(std::span(library.packed).first(length));
  if (packed.size() < kJfifHeader || packed.size() + kComment > size_.pixels() / 2) {
    return make_error(ErrorKind::internal, kOperation, "", "it has " + std::to_string(length) + " bytes");
  }
  write_noted(packed, number, milliseconds, jpeg);
  return {};
}

}  // namespace usbloop::device_sim
