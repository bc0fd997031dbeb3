// Runs in the guest: sound by the kernel's /dev/dsp, which takes the device's own format as it is, and the mixer.
//   dsp capture CHANNELS SECONDS    records, and says what was heard
//   dsp play CHANNELS FRAMES        plays the frames of sequence.h
//   dsp set SUFFIX VALUE            sets the control whose name ends so: Volume, Switch
#include <fcntl.h>
#include <sound/asound.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "common/fd.h"
#include "e2e/sound/sequence.h"

namespace {

using usbloop::Fd;
using usbloop::e2e::kSoundSequenceRate;
using usbloop::e2e::sequence_sample;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void configure(const Fd& dsp, int name, int wanted) {
  int value = wanted;
  if (::ioctl(dsp.get(), static_cast<unsigned long>(static_cast<unsigned>(name)), &value) != 0) die("ioctl");
  if (value != wanted) {
    std::fprintf(stderr, "asked for %d, got %d\n", wanted, value);
    std::exit(1);
  }
}

Fd open_dsp(int flags, int channels) {
  Fd dsp(::open("/dev/dsp", flags | O_CLOEXEC));
  if (!dsp) die("/dev/dsp");
  configure(dsp, static_cast<int>(SNDCTL_DSP_SETFMT), AFMT_S16_LE);
  configure(dsp, static_cast<int>(SNDCTL_DSP_CHANNELS), channels);
  configure(dsp, static_cast<int>(SNDCTL_DSP_SPEED), kSoundSequenceRate);
  return dsp;
}

void capture(int channels, int seconds) {
  const Fd dsp = open_dsp(O_RDONLY, channels);
  std::vector<std::int16_t> samples(static_cast<std::size_t>(kSoundSequenceRate) * static_cast<std::size_t>(seconds) *
                                    static_cast<std::size_t>(channels));
  auto* bytes = reinterpret_cast<char*>(samples.data());
  const std::size_t all = samples.size() * sizeof samples[0];
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < all;) {
    const ssize_t count = ::read(dsp.get(), bytes + at, std::min<std::size_t>(all - at, 8192));
    if (count <= 0) die("read");
    at += static_cast<std::size_t>(count);
  }
  const auto time = std::chrono::steady_clock::now() - begun;
  const auto step = static_cast<std::size_t>(channels);
  int rises = 0, peak = 0, different = 0;
  for (std::size_t at = 0; at + step <= samples.size(); at += step) {
    peak = std::max(peak, std::abs(int{samples[at]}));
    if (channels == 2 && samples[at] != samples[at + 1]) ++different;
    if (at > 0 && samples[at - step] < 0 && samples[at] >= 0) ++rises;
  }
  std::printf("hertz=%d peak=%d different=%d milliseconds=%lld\n", rises / seconds, peak, different,
              static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()));
}

void play(int channels, std::uint32_t frames) {
  const Fd dsp = open_dsp(O_WRONLY, channels);
  std::vector<std::int16_t> samples;
  for (std::uint32_t frame = 0; frame < frames; ++frame) {
    for (int channel = 0; channel < channels; ++channel) samples.push_back(sequence_sample(frame, channel));
  }
  const auto* bytes = reinterpret_cast<const char*>(samples.data());
  const std::size_t all = samples.size() * sizeof samples[0];
  for (std::size_t at = 0; at < all;) {
    const ssize_t count = ::write(dsp.get(), bytes + at, all - at);
    if (count <= 0) die("write");
    at += static_cast<std::size_t>(count);
  }
  if (::ioctl(dsp.get(), SNDCTL_DSP_SYNC, nullptr) != 0) die("SNDCTL_DSP_SYNC");
}

void set(std::string_view suffix, int value) {
  const Fd control(::open("/dev/snd/controlC0", O_RDWR | O_CLOEXEC));
  if (!control) die("/dev/snd/controlC0");
  std::vector<snd_ctl_elem_id> ids(64);
  snd_ctl_elem_list list{};
  list.space = static_cast<unsigned>(ids.size());
  list.pids = ids.data();
  if (::ioctl(control.get(), SNDRV_CTL_IOCTL_ELEM_LIST, &list) != 0) die("the list of controls");
  for (unsigned i = 0; i < list.used; ++i) {
    const std::string_view name(reinterpret_cast<const char*>(ids[i].name));
    if (!name.ends_with(suffix)) continue;
    snd_ctl_elem_value element{};
    element.id = ids[i];
    element.value.integer.value[0] = element.value.integer.value[1] = value;
    if (::ioctl(control.get(), SNDRV_CTL_IOCTL_ELEM_WRITE, &element) < 0) die("writing the control");
    std::printf("%s is %d\n", ids[i].name, value);
    return;
  }
  std::fprintf(stderr, "of %u controls none ends so\n", list.used);
  std::exit(1);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return 2;
  const std::string_view verb = words[1];
  if (verb == "capture") {
    capture(std::atoi(words[2]), std::atoi(words[3]));
  } else if (verb == "play") {
    play(std::atoi(words[2]), static_cast<std::uint32_t>(std::atoi(words[3])));
  } else if (verb == "set") {
    set(words[2], std::atoi(words[3]));
  } else {
    return 2;
  }
  return 0;
}
