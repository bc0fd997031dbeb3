#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

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

/// Index 0 is bFrameIndex 1. Each has all of the intervals. The largest is for MJPEG alone: as YUYV it would be more
/// than high speed carries.
inline constexpr std::array<PictureSize, 3> kSizes = {{{320, 240}, {640, 480}, {1280, 720}}};
/// Time between pictures, in units of 100 ns as UVC counts: 30, 15, 10 and 5 a second.
inline constexpr std::array<std::uint32_t, 4> kIntervals = {333333, 666666, 1000000, 2000000};

inline std::span<const PictureSize> sizes_of(PictureFormat format) {
  return std::span(kSizes).first(format == PictureFormat::mjpeg ? 3 : 2);
}

/// What a guest can choose.
struct VideoMode {
  PictureFormat format = PictureFormat::yuyv;
  std::uint8_t frame = 2;  ///< bFrameIndex
  std::uint32_t interval = kIntervals[0];

  [[nodiscard]] const PictureSize& size() const { return kSizes.at(frame - 1U); }
  /// Of a picture, at most. One of MJPEG is far below it whatever the controls say.
  [[nodiscard]] std::uint32_t most_bytes() const {
    return format == PictureFormat::yuyv ? size().bytes() : size().pixels() / 2;
  }
};

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

/// The longest payload of a mode: what Linux chooses the alternate setting by.
std::uint32_t longest_payload(const VideoMode& mode, VideoTransfers transfers);

}  // namespace usbloop::device_sim
