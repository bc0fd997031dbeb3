#include "device-sim/sound/speaker.h"

#include <utility>

namespace usbloop::device_sim {

Speaker::Speaker(const SpeakerOptions& options, std::unique_ptr<WaveFile> file)
    : channels_(options.channels),
      description_{options.vendor_id,  options.product_id, options.speed,     "C-Media Electronics, Inc.",
                   "USB Audio Device", options.serial,     "emulated speaker"},
      descriptors_(sound_descriptors(description_, SoundKind::speaker, channels_)),
      file_(std::move(file)) {}

// Nothing is said to a guest about a file that cannot be written: the one who wants the file is told at the end.
void Speaker::reset() { (void)flush(); }

void Speaker::select(std::uint8_t, std::uint8_t) { (void)flush(); }

ControlReply Speaker::request(const SetupPacket& setup, std::span<const std::byte> data) {
  return controls_.request(setup, data);
}

/// A frame that is cut is no sound.
void Speaker::isochronous_out(std::uint8_t, std::span<const std::byte> data) {
  const auto frames = data.first(data.size() / sound_frame_size(channels_) * sound_frame_size(channels_));
  if (!file_ || frames.empty()) return;
  sound_.assign(frames.begin(), frames.end());
  controls_.apply(sound_);
  file_->append(sound_);
}

Result<> Speaker::flush() { return file_ ? file_->flush() : Result<>{}; }

}  // namespace usbloop::device_sim
