#include "device-sim/emulation/plain_descriptors.h"
#include "device-sim/sound/audio_function.h"
#include "usbredir/descriptors.h"

// USB Audio Class 1.0, section 4.
namespace usbloop::device_sim {
namespace {

using usbredir::DescriptorWriter;
using usbredir::Speed;
namespace type = usbredir::descriptor_type;

constexpr std::uint8_t kClassInterface = 0x24, kClassEndpoint = 0x25;
constexpr std::uint8_t kAudioClass = 1, kAudioControl = 1, kAudioStreaming = 2;
constexpr std::uint8_t kInputTerminalId = 1, kOutputTerminalId = 3;
constexpr std::uint16_t kUsbStreaming = 0x0101, kMicrophoneTerminal = 0x0201, kSpeakerTerminal = 0x0301;

/// Input terminal, feature unit, output terminal: sound goes through them in this order, to the guest or from it.
void write_sound_control(DescriptorWriter& writer, SoundKind kind, std::uint8_t channels) {
  constexpr std::uint16_t kVersion = 0x0100;
  constexpr std::uint8_t kHeader = 1, kInput = 2, kOutput = 3, kFeature = 6;
  constexpr std::uint16_t kLeftAndRight = 3;
  constexpr std::uint8_t kMuteAndVolume = 3;
  const bool is_microphone = kind == SoundKind::microphone;
  const int total = 9 + 12 + (8 + channels) + 9;
  writer.begin(type::kInterface).u8(kSoundControlInterface).u8(0).u8(0).u8(kAudioClass).u8(kAudioControl).u8(0).u8(0);
  writer.begin(kClassInterface).u8(kHeader).u16(kVersion).u16(static_cast<std::uint16_t>(total));
  writer.u8(1).u8(kSoundStreamInterface);
  writer.begin(kClassInterface).u8(kInput).u8(kInputTerminalId);
  writer.u16(is_microphone ? kMicrophoneTerminal : kUsbStreaming).u8(0).u8(channels);
  writer.u16(channels == 2 ? kLeftAndRight : 0).u8(0).u8(0);
  // The controls are of all channels together, and no channel has its own.
  writer.begin(kClassInterface).u8(kFeature).u8(kSoundFeatureUnit).u8(kInputTerminalId).u8(1).u8(kMuteAndVolume);
  for (unsigned i = 0; i < channels; ++i) writer.u8(0);
  writer.u8(0);
  writer.begin(kClassInterface).u8(kOutput).u8(kOutputTerminalId);
  writer.u16(is_microphone ? kUsbStreaming : kSpeakerTerminal).u8(0).u8(kSoundFeatureUnit).u8(0);
}

void write_stream_setting(DescriptorWriter& writer, std::uint8_t alternate) {
  writer.begin(type::kInterface).u8(kSoundStreamInterface).u8(alternate).u8(alternate);
  writer.u8(kAudioClass).u8(kAudioStreaming).u8(0).u8(0);
}

void write_sound_stream(DescriptorWriter& writer, SoundKind kind, std::uint8_t channels, Speed speed) {
  constexpr std::uint8_t kGeneral = 1, kFormat = 2, kTypeOne = 1, kSampleBytes = 2, kSampleBits = 16, kRates = 1;
  constexpr std::uint16_t kPcm = 1;
  // A microphone has a clock of its own, and a speaker takes what comes.
  constexpr std::uint8_t kAsynchronous = 0x05, kAdaptive = 0x09, kHasRate = 1;
  // A packet a millisecond: each frame, or each 2^3rd microframe.
  const std::uint8_t interval = speed == Speed::high ? 4 : 1;
  const bool is_microphone = kind == SoundKind::microphone;
  const auto packet = static_cast<std::uint16_t>(kSoundPacketFrames * sound_frame_size(channels));
  write_stream_setting(writer, 0);
  write_stream_setting(writer, 1);
  writer.begin(kClassInterface).u8(kGeneral).u8(is_microphone ? kOutputTerminalId : kInputTerminalId).u8(1).u16(kPcm);
  writer.begin(kClassInterface).u8(kFormat).u8(kTypeOne).u8(channels).u8(kSampleBytes).u8(kSampleBits).u8(kRates);
  writer.u16(kSoundRate & 0xffff).u8(kSoundRate >> 16);
  writer.begin(type::kEndpoint).u8(is_microphone ? kSoundEndpointIn : kSoundEndpointOut);
  writer.u8(is_microphone ? kAsynchronous : kAdaptive).u16(packet).u8(interval).u8(0).u8(0);
  writer.begin(kClassEndpoint).u8(kGeneral).u8(kHasRate).u8(0).u16(0);
}

template <SoundKind kKind, std::uint8_t kChannels>
void write_sound(DescriptorWriter& writer, Speed speed) {
  write_sound_control(writer, kKind, kChannels);
  write_sound_stream(writer, kKind, kChannels, speed);
}

}  // namespace

DescriptorSet sound_descriptors(const usbredir::DeviceDescription& description, SoundKind kind, unsigned channels) {
  PlainDevice device;
  device.interfaces = 2;
  if (kind == SoundKind::microphone) {
    device.write_interfaces =
        channels == 1 ? &write_sound<SoundKind::microphone, 1> : &write_sound<SoundKind::microphone, 2>;
  } else {
    device.write_interfaces = channels == 1 ? &write_sound<SoundKind::speaker, 1> : &write_sound<SoundKind::speaker, 2>;
  }
  return plain_descriptors(description, device);
}

}  // namespace usbloop::device_sim
