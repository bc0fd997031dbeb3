#include "device-sim/sound/audio_spec.h"

#include <charconv>
#include <utility>

#include "device-sim/emulation/spec_options.h"
#include "device-sim/sound/microphone.h"
#include "device-sim/sound/speaker.h"

namespace usbloop::device_sim {
namespace {

/// A whole number from `least` to `most`; `value` stays as it is when there is none.
template <typename Number>
Result<> read_whole(const DeviceSpec& spec, const char* name, Number least, Number most, Number& value) {
  const std::string* text = option_of(spec, name);
  if (text == nullptr) return {};
  Number number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < least || number > most) {
    return refuse_option(spec, std::string(name) + "=" + *text + " is no number from " + std::to_string(least) +
                                   " to " + std::to_string(most));
  }
  value = number;
  return {};
}

/// What microphones and speakers have in common: id=, speed=, serial= and channels=.
template <typename Options>
Result<> read_sound_device(const DeviceSpec& spec, std::optional<UsbId> default_id, Options& options) {
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read) return read;
  if (auto read = read_one_of_speeds(spec, usbredir::Speed::full, usbredir::Speed::high, options.speed); !read)
    return read;
  if (auto read = read_serial_number(spec, options.serial); !read) return read;
  return read_whole(spec, "channels", 1U, 2U, options.channels);
}

}  // namespace

Result<std::unique_ptr<Device>> make_microphone(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  constexpr std::uint32_t kLowest = 20, kHighest = 20'000;
  MicrophoneOptions options;
  if (auto read = read_sound_device(spec, default_id, options); !read) return tl::unexpected(read.error());
  if (auto read = read_whole(spec, "tone", kLowest, kHighest, options.tone); !read) return tl::unexpected(read.error());
  return std::make_unique<Microphone>(options);
}

Result<std::unique_ptr<Device>> make_speaker(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  constexpr std::uint64_t kLongest = 100'000;  // beyond what a file can hold
  SpeakerOptions options;
  if (auto read = read_sound_device(spec, default_id, options); !read) return tl::unexpected(read.error());
  std::uint64_t seconds = kLongest;
  if (auto read = read_whole(spec, "seconds", std::uint64_t{1}, kLongest, seconds); !read)
    return tl::unexpected(read.error());
  std::unique_ptr<WaveFile> file;
  if (const std::string* path = option_of(spec, "file")) {
    const std::uint64_t most = seconds * kSoundRate * sound_frame_size(options.channels);
    auto made = WaveFile::create(*path, options.channels, kSoundRate, most);
    if (!made) return tl::unexpected(made.error());
    file = std::move(*made);
  } else if (option_of(spec, "seconds") != nullptr) {
    return refuse_option(spec, "seconds= goes with file=");
  }
  return std::make_unique<Speaker>(options, std::move(file));
}

}  // namespace usbloop::device_sim
