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
constexpr std::size_t kBandHeight = 8, kUnitWidth = 16;  // of a minimum coded unit by 4:2:2
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

/// Markers (ITU-T T.81, table B.1), behind a byte 0xff.
enum JpegMarker : std::uint8_t {
  kStartOfFrame = 0xc0,
  kRestart = 0xd0,
  kEndOfImage = 0xd9,
  kStartOfScan = 0xda,
  kRestartInterval = 0xdd,
  kComment = 0xfe
};

void put(std::vector<std::byte>& bytes, std::initializer_list<std::size_t> values) {
  for (const std::size_t value : values) bytes.push_back(static_cast<std::byte>(value));
}

/// Where the segment of that marker begins in what the library made; its end when there is none.
std::size_t find_segment(std::span<const std::byte> jpeg, JpegMarker marker) {
  std::size_t at = 2;
  while (at + 4 <= jpeg.size() && jpeg[at + 1] != std::byte{marker}) {
    at += 2 + (std::to_integer<std::size_t>(jpeg[at + 2]) << 8 | std::to_integer<std::size_t>(jpeg[at + 3]));
  }
  return std::min(at, jpeg.size());
}

Error encoder_failure(std::string cause) { return Error{ErrorKind::internal, kOperation, "", std::move(cause)}; }

}  // namespace

struct JpegEncoder::Library {
  explicit Library(PictureSize its_size)
      : size(its_size),
        y(size.width * kBandHeight),
        u(y.size() / 2),
        v(y.size() / 2),
        packed(::tjBufSize(size.width, kBandHeight, TJSAMP_422)),
        seen(size.bytes()),
        bands(size.height / kBandHeight) {}
  ~Library() {
    if (handle != nullptr) ::tjDestroy(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  Result<std::span<const std::byte>> compress(std::span<const std::byte> yuyv);
  Result<> encode_band(std::size_t index, std::span<const std::byte> yuyv);
  /// What stands before the data of a band becomes what stands before those of all.
  void take_head(std::span<const std::byte> band_head);

  PictureSize size;
  tjhandle handle = ::tjInitCompress();
  std::vector<unsigned char> y, u, v;         ///< of a band
  std::vector<unsigned char> packed;          ///< what the library makes of it
  std::vector<std::byte> band_head;           ///< that of each, before its data
  std::vector<std::byte> head;                ///< of the picture: all behind the comment and before the first band
  std::vector<std::byte> seen;                ///< the YUYV that `bands` are made of
  std::vector<std::vector<std::byte>> bands;  ///< their data; empty before they are made
};

Result<std::span<const std::byte>> JpegEncoder::Library::compress(std::span<const std::byte> yuyv) {
  for (std::size_t i = 0; i < u.size(); ++i) {
    const auto value = [&](std::size_t at) { return std::to_integer<std::uint8_t>(yuyv[4 * i + at]); };
    y[2 * i] = kLuma[value(0)];
    u[i] = kChroma[value(1)];
    y[2 * i + 1] = kLuma[value(2)];
    v[i] = kChroma[value(3)];
  }
  std::array<const unsigned char*, 3> planes = {y.data(), u.data(), v.data()};
  unsigned char* place = packed.data();
  unsigned long length = packed.size();  // the library's type. NOLINT(google-runtime-int)
  if (::tjCompressFromYUVPlanes(handle, planes.data(), size.width, nullptr, kBandHeight, TJSAMP_422, &place, &length,
                                kQuality, TJFLAG_NOREALLOC) != 0) {
    return tl::unexpected(encoder_failure(::tjGetErrorStr2(handle)));
  }
  return std::as_bytes(std::span(packed).first(length));
}

void JpegEncoder::Library::take_head(std::span<const std::byte> of_band) {
  constexpr std::size_t kHeight = 5;  // bytes from the marker to it (ITU-T T.81, B.2.2)
  band_head.assign(of_band.begin(), of_band.end());
  std::vector<std::byte> whole = band_head;
  const std::size_t frame = find_segment(whole, kStartOfFrame) + kHeight;
  whole.at(frame) = static_cast<std::byte>(size.height >> 8);
  whole.at(frame + 1) = static_cast<std::byte>(size.height & 0xff);
  const auto scan = whole.begin() + static_cast<std::ptrdiff_t>(find_segment(whole, kStartOfScan));
  head.assign(whole.begin() + kJfifHeader, scan);
  const std::size_t units = size.width / kUnitWidth;
  put(head, {0xff, kRestartInterval, 0, 4, units >> 8, units & 0xff});
  head.insert(head.end(), scan, whole.end());
}

Result<> JpegEncoder::Library::encode_band(std::size_t index, std::span<const std::byte> yuyv) {
  constexpr std::size_t kScanHeader = 14, kEnd = 2;
  bands[index].clear();
  const auto jpeg = compress(yuyv);
  if (!jpeg) return tl::unexpected(jpeg.error());
  const std::size_t data = find_segment(*jpeg, kStartOfScan) + kScanHeader;
  if (data + kEnd > jpeg->size() || find_segment(*jpeg, kStartOfFrame) > data) {
    return tl::unexpected(encoder_failure("the library's picture has no scan"));
  }
  const auto its_head = jpeg->first(data);
  if (band_head.empty()) take_head(its_head);
  // As the library does when its environment variable TJ_OPTIMIZE says so.
  if (!std::ranges::equal(its_head, band_head))
    return tl::unexpected(encoder_failure("its parts have different tables"));
  const auto scan = jpeg->subspan(data, jpeg->size() - data - kEnd);
  bands[index].assign(scan.begin(), scan.end());
  std::memcpy(seen.data() + index * yuyv.size(), yuyv.data(), yuyv.size());
  return {};
}

JpegEncoder::JpegEncoder(PictureSize size) : library_(std::make_unique<Library>(size)) {}
JpegEncoder::~JpegEncoder() = default;
JpegEncoder::JpegEncoder(JpegEncoder&&) noexcept = default;
JpegEncoder& JpegEncoder::operator=(JpegEncoder&&) noexcept = default;

Result<> JpegEncoder::encode(std::span<const std::byte> yuyv, std::uint32_t number, std::uint32_t milliseconds,
                             std::vector<std::byte>& jpeg) {
  Library& library = *library_;
  const std::size_t band_bytes = library.size.width * kBandHeight * 2;
  for (std::size_t i = 0; i < library.bands.size(); ++i) {
    const auto band = yuyv.subspan(i * band_bytes, band_bytes);
    if (!library.bands[i].empty() && std::memcmp(library.seen.data() + i * band_bytes, band.data(), band_bytes) == 0) {
      continue;
    }
    if (auto encoded = library.encode_band(i, band); !encoded) return encoded;
  }
  jpeg.assign(library.band_head.begin(), library.band_head.begin() + kJfifHeader);
  put(jpeg, {0xff, kComment, 0, 2 + kNote});
  const std::size_t note = jpeg.size();
  jpeg.resize(note + kNote);
  jpeg.insert(jpeg.end(), library.head.begin(), library.head.end());
  for (std::size_t i = 0; i < library.bands.size(); ++i) {
    if (i > 0) put(jpeg, {0xff, kRestart + (i - 1) % 8});
    jpeg.insert(jpeg.end(), library.bands[i].begin(), library.bands[i].end());
  }
  put(jpeg, {0xff, kEndOfImage});
  if (jpeg.size() > library.size.pixels() / 2) {
    return tl::unexpected(encoder_failure("it has " + std::to_string(jpeg.size()) + " bytes"));
  }
  std::array<char, kNote + 1> text{};
  const std::uint32_t sum = fnv(std::span<const std::byte>(jpeg).subspan(note + kNote));
  std::snprintf(text.data(), text.size(), "usbloop %010u %010u %08x", number, milliseconds, sum);
  std::memcpy(jpeg.data() + note, text.data(), kNote);
  return {};
}

}  // namespace usbloop::device_sim
