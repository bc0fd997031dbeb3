#include "device-sim/sound/microphone.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace usbloop::device_sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// What a guest has missed by more than this it does not get any more; the tone goes on where it was.
constexpr milliseconds kMostSoundMissed{40};

nanoseconds sound_duration(std::size_t frames) {
  return nanoseconds(static_cast<std::int64_t>(frames) * 1'000'000'000 / kSoundRate);
}

}  // namespace

Microphone::Microphone(const MicrophoneOptions& options)
    : channels_(options.channels),
      tone_(options.tone),
      description_{options.vendor_id, options.product_id, options.speed,        "C-Media Electronics, Inc.",
                   "Blue Snowball",   options.serial,     "emulated microphone"},
      descriptors_(sound_descriptors(description_, SoundKind::microphone, channels_)) {}

void Microphone::select(std::uint8_t interface, std::uint8_t) {
  if (interface == kSoundStreamInterface) behind_since_.reset();
}

ControlReply Microphone::request(const SetupPacket& setup, std::span<const std::byte> data) {
  return controls_.request(setup, data);
}

/// So many have been heard since the last packet. The first packet has those of a millisecond.
std::size_t Microphone::due_frames() {
  if (!behind_since_) behind_since_ = now_ - milliseconds(1);
  behind_since_ = std::max(*behind_since_, now_ - kMostSoundMissed);
  const auto missed = std::chrono::duration_cast<nanoseconds>(now_ - *behind_since_).count();
  return static_cast<std::size_t>(std::max<std::int64_t>(missed, 0) * kSoundRate / 1'000'000'000);
}

std::int16_t Microphone::next_sample() {
  constexpr double kHalf = 16384;
  const double angle = 2 * std::numbers::pi * phase_ / kSoundRate;
  phase_ = (phase_ + tone_) % kSoundRate;
  return static_cast<std::int16_t>(std::lround(kHalf * std::sin(angle)));
}

std::size_t Microphone::isochronous(std::uint8_t, std::span<std::byte> room) {
  const std::size_t frame = sound_frame_size(channels_);
  const std::size_t frames = std::min(due_frames(), room.size() / frame);
  *behind_since_ += sound_duration(frames);
  std::size_t at = 0;
  for (std::size_t i = 0; i < frames; ++i) {
    const auto sample = static_cast<std::uint16_t>(next_sample());
    for (unsigned channel = 0; channel < channels_; ++channel) {
      room[at++] = static_cast<std::byte>(sample & 0xff);
      room[at++] = static_cast<std::byte>(sample >> 8);
    }
  }
  controls_.apply(room.first(at));
  return at;
}

}  // namespace usbloop::device_sim
