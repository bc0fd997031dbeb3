#include <memory>
#include <span>

#include "device-sim/emulation/faulty_device.h"
#include "device-sim/fuzz/any_guest.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/sound/microphone.h"
#include "device-sim/sound/speaker.h"

namespace usbloop::device_sim::fuzz {

// The first byte chooses a microphone or a speaker, its speed and its channels. Then what a guest does to it
// (AnyGuest).
void audio(std::span<const std::byte> input) {
  if (input.empty()) return;
  const unsigned choice = std::to_integer<unsigned>(input[0]);
  const auto speed = (choice & 2) != 0 ? usbredir::Speed::high : usbredir::Speed::full;
  const unsigned channels = (choice & 4) != 0 ? 2 : 1;
  std::unique_ptr<Device> device;
  if ((choice & 1) != 0) {
    MicrophoneOptions options;
    options.speed = speed;
    options.channels = channels;
    device = std::make_unique<Microphone>(options);
  } else {
    SpeakerOptions options;
    options.speed = speed;
    options.channels = channels;
    constexpr std::uint64_t kMost = 5000;
    auto file = WaveFile::temporary(channels, kSoundRate, kMost);
    device = std::make_unique<Speaker>(options, file ? std::move(*file) : nullptr);
  }
  AnyGuest guest(std::make_unique<FaultyDevice>(std::move(device)));
  guest.play(input.subspan(1));
  guest.end();
}

}  // namespace usbloop::device_sim::fuzz
