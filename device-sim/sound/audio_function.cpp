#include "device-sim/sound/audio_function.h"

#include <algorithm>
#include <cmath>

namespace usbloop::device_sim {
namespace {

// Class requests (UAC 1.0, 5.2.1 and table A-9) and the selectors of a feature unit and of an endpoint.
constexpr std::uint8_t kSetSound = 0x01, kGetSound = 0x81, kGetSoundLeast = 0x82, kGetSoundMost = 0x83,
                       kGetSoundStep = 0x84;
constexpr std::uint8_t kToUnit = 0x21, kFromUnit = 0xa1, kToEndpoint = 0x22, kFromEndpoint = 0xa2;
constexpr std::uint8_t kMuteSelector = 1, kVolumeSelector = 2;
constexpr std::uint16_t kRateSelector = 0x0100;

ControlReply sound_answer(std::uint32_t value, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(value >> 8 * i);
  return {TransferStatus::success, std::move(bytes)};
}

ControlReply volume_answer(std::int16_t value) { return sound_answer(static_cast<std::uint16_t>(value), 2); }

std::uint32_t sound_number(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::to_integer<std::uint32_t>(bytes[i]) << 8 * i;
  return value;
}

}  // namespace

ControlReply SoundControls::request(const SetupPacket& setup, std::span<const std::byte> data) {
  switch (setup.request_type) {
    case kToUnit:
    case kFromUnit: return unit(setup, data);
    case kToEndpoint:
    case kFromEndpoint: return rate(setup, data);
    default: return {};
  }
}

/// The high byte of wValue is what of the unit, the low byte the channel: 0, all of them.
ControlReply SoundControls::unit(const SetupPacket& setup, std::span<const std::byte> data) {
  const auto selector = static_cast<std::uint8_t>(setup.value >> 8);
  const bool is_ours = setup.index == (kSoundFeatureUnit << 8 | kSoundControlInterface) && (setup.value & 0xff) == 0;
  if (!is_ours || (selector != kMuteSelector && selector != kVolumeSelector)) return {};
  if (!setup.is_in()) return setup.request == kSetSound ? set_unit(selector, data) : ControlReply{};
  if (selector == kMuteSelector)
    return setup.request == kGetSound ? sound_answer(is_muted_ ? 1 : 0, 1) : ControlReply{};
  switch (setup.request) {
    case kGetSound: return volume_answer(volume_);
    case kGetSoundLeast: return volume_answer(kQuietest);
    case kGetSoundMost: return volume_answer(kLoudest);
    case kGetSoundStep: return volume_answer(kStep);
    default: return {};
  }
}

ControlReply SoundControls::set_unit(std::uint8_t selector, std::span<const std::byte> data) {
  const std::uint32_t number = data.size() > 2 ? 0 : sound_number(data);
  if (selector == kMuteSelector) {
    if (data.size() != 1 || number > 1) return {};
    is_muted_ = number == 1;
    return {TransferStatus::success, {}};
  }
  const auto wanted = static_cast<std::int16_t>(number);
  if (data.size() != 2 || wanted < kQuietest || wanted > kLoudest) return {};
  volume_ = static_cast<std::int16_t>((wanted - kStep / 2) / kStep * kStep);  // the nearest step; none is above 0
  return {TransferStatus::success, {}};
}

ControlReply SoundControls::rate(const SetupPacket& setup, std::span<const std::byte> data) {
  constexpr std::size_t kRateBytes = 3;
  if (setup.index != endpoint_ || setup.value != kRateSelector) return {};
  if (!setup.is_in()) {
    const bool is_ours = setup.request == kSetSound && data.size() == kRateBytes && sound_number(data) == kSoundRate;
    return is_ours ? ControlReply{TransferStatus::success, {}} : ControlReply{};
  }
  switch (setup.request) {
    case kGetSound:
    case kGetSoundLeast:
    case kGetSoundMost: return sound_answer(kSoundRate, kRateBytes);
    case kGetSoundStep: return sound_answer(0, kRateBytes);
    default: return {};
  }
}

void SoundControls::apply(std::span<std::byte> samples) const {
  if (is_muted_) return std::fill(samples.begin(), samples.end(), std::byte{0});
  if (volume_ == kLoudest) return;  // as it came, bit by bit
  const double gain = std::pow(10.0, volume_ / 256.0 / 20.0);
  for (std::size_t at = 0; at + 1 < samples.size(); at += 2) {
    const auto sample = static_cast<std::int16_t>(sound_number(samples.subspan(at, 2)));
    const auto changed = static_cast<std::uint16_t>(std::lround(sample * gain));
    samples[at] = static_cast<std::byte>(changed & 0xff);
    samples[at + 1] = static_cast<std::byte>(changed >> 8);
  }
}

}  // namespace usbloop::device_sim
