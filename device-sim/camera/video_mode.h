#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace usbloop::device_sim {

/// How a picture is written; the value is its bFormatIndex.
enum class PictureFormat : std::uint8_t { yuyv = 1, mjpeg = 2 };

/// A size of picture that the camera has.
struct PictureSize {
  std::uint16_t width = 0;
  std::uint16_t height = 0;

  [[nodiscard]] std::uint32_t pixels() const { return std::uint32_t{width} * height; }
  [[nodiscard]] std::uint32_t bytes() const { return 2 * pixels(); }  ///< as YUYV
};

/// Time between pictures, in units of 100 ns as UVC counts: 30, 15, 10 and 5 a second.
inline constexpr std::array<std::uint32_t, 4> kIntervals = {333333, 666666, 1000000, 2000000};

/// What a guest can choose.
struct VideoMode {
  PictureFormat format = PictureFormat::yuyv;
  std::uint8_t frame = 1;  ///< bFrameIndex
  std::uint32_t interval = kIntervals[0];
};

/// What a camera has for a guest to choose from. Each size has all of the intervals.
struct VideoOffer {
  std::vector<PictureSize> sizes;  ///< of MJPEG; index 0 is bFrameIndex 1
  std::size_t yuyv_sizes = 0;      ///< how many of them YUYV has too
  std::uint8_t usual_frame = 1;
  std::uint32_t most_jpeg_bytes = 0;  ///< of a picture of MJPEG; 0: half a byte for each pixel

  [[nodiscard]] std::span<const PictureSize> sizes_of(PictureFormat format) const {
    return std::span(sizes).first(format == PictureFormat::mjpeg ? sizes.size() : yuyv_sizes);
  }
  [[nodiscard]] VideoMode usual() const { return {PictureFormat::yuyv, usual_frame, kIntervals[0]}; }
  [[nodiscard]] PictureSize size_of(const VideoMode& mode) const { return sizes.at(mode.frame - 1U); }
  /// Of a picture, at most.
  [[nodiscard]] std::uint32_t most_bytes(const VideoMode& mode) const {
    if (mode.format == PictureFormat::yuyv) return size_of(mode).bytes();
    return most_jpeg_bytes > 0 ? most_jpeg_bytes : size_of(mode).pixels() / 2;
  }
};

/// The sizes of the test pattern. The largest is for MJPEG alone: as YUYV it would be more than high speed carries. A
/// picture of MJPEG is far below half a byte for each pixel whatever the controls say.
inline constexpr std::array<PictureSize, 3> kSizes = {{{320, 240}, {640, 480}, {1280, 720}}};
inline VideoOffer offer_of_pattern() { return {{kSizes.begin(), kSizes.end()}, 2, 2, 0}; }

/// How pictures come to the guest; the descriptors say which.
enum class VideoTransfers { bulk, isochronous };

inline constexpr std::uint8_t kControlInterface = 0, kStreamingInterface = 1, kVideoEndpoint = 0x81;
inline constexpr std::uint8_t kProcessingUnit = 3;  ///< brightness and contrast
inline constexpr std::uint8_t kPayloadHeader = 2;   ///< bytes (UVC 1.0, 2.4.3.3: bHeaderLength and bmHeaderInfo)
/// The longest payload by bulk: what Linux asks for at once, 32 packets of 512 bytes.
inline constexpr std::uint32_t kBulkPayload = 16384;

/// An alternate setting with isochronous packets.
struct IsoSetting {
  std::uint16_t packet = 0;       ///< bytes of a transaction
  std::uint8_t transactions = 1;  ///< in each service interval
  std::uint8_t exponent = 1;      ///< bInterval: a service interval is 2^(exponent-1) microframes of 125 us

  [[nodiscard]] std::uint32_t bytes() const { return std::uint32_t{packet} * transactions; }
};
/// Alternate settings from 1 on. Linux chooses the smallest packet that holds the longest payload, so no two are alike;
/// we say the payload that makes it choose the longest interval with enough room. An emulated controller is slow with
/// many packets, and a guest loses what it is too slow for.
inline constexpr std::array<IsoSetting, 6> kIsoSettings = {
    {{1024, 1, 4}, {1024, 2, 4}, {1016, 3, 4}, {1018, 3, 3}, {1020, 3, 2}, {1024, 3, 1}}};

/// The longest payload, for pictures of `most_bytes` each `interval`: what Linux chooses the alternate setting by.
std::uint32_t longest_payload(std::uint32_t interval, std::uint32_t most_bytes, VideoTransfers transfers);

}  // namespace usbloop::device_sim
