#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

/// All audio devices have this: samples of 16 bits, little-endian, whose channels alternate.
inline constexpr std::uint32_t kSoundRate = 48'000;  ///< frames (a sample of each channel) in a second
inline constexpr std::uint8_t kSoundEndpointIn = 0x81, kSoundEndpointOut = 0x01;
inline constexpr std::uint8_t kSoundControlInterface = 0, kSoundStreamInterface = 1;
inline constexpr std::uint8_t kSoundFeatureUnit = 2;
/// In a packet, which comes every millisecond: 48, and more for a side that has fallen behind.
inline constexpr std::uint32_t kSoundPacketFrames = 64;

/// Whose sound it is.
enum class SoundKind { microphone, speaker };

inline std::size_t sound_frame_size(unsigned channels) { return std::size_t{2} * channels; }

/// The descriptors of an audio device (USB Audio Class 1.0): an input terminal, a feature unit, an output terminal, and
/// a stream with an alternate setting for silence and one for sound. At full or high speed, with 1 or 2 channels.
DescriptorSet sound_descriptors(const usbredir::DeviceDescription& description, SoundKind kind, unsigned channels);

/// What a guest sets: mute and volume of the feature unit (UAC 1.0, 5.2.2.4), and the rate of the endpoint (5.2.3.2).
/// They keep their values through a reset of the bus, as a camera's do.
class SoundControls {
 public:
  /// In 1/256 dB.
  static constexpr std::int16_t kQuietest = -48 * 256, kLoudest = 0, kStep = 256;

  explicit SoundControls(std::uint8_t endpoint) : endpoint_(endpoint) {}

  /// A class request of either recipient; a stall for what there is not.
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data);

  [[nodiscard]] bool is_muted() const { return is_muted_; }
  [[nodiscard]] std::int16_t volume() const { return volume_; }
  /// Makes samples as loud as the controls say; whole samples of 16 bits.
  void apply(std::span<std::byte> samples) const;

 private:
  ControlReply unit(const SetupPacket& setup, std::span<const std::byte> data);
  ControlReply set_unit(std::uint8_t selector, std::span<const std::byte> data);
  ControlReply rate(const SetupPacket& setup, std::span<const std::byte> data);

  std::uint8_t endpoint_;
  bool is_muted_ = false;
  std::int16_t volume_ = kLoudest;
};

}  // namespace usbloop::device_sim
