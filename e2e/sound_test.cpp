// The emulated microphone and speaker at a QEMU without a loop: the guest's driver is snd-usb-audio, and a program in
// the guest listens and plays.
#include <doctest/doctest.h>

#include <csignal>
#include <regex>
#include <vector>

#include "common/test_text.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"
#include "e2e/sound/sequence.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

struct SoundBench {
  SoundBench() {
    guest.must_run("mkdir /tools && mount -t 9p -o trans=virtio,version=9p2000.L,ro tools /tools");
    guest.must_run("modprobe snd_pcm_oss");
  }

  static PlainGuestOptions options() {
    const std::string tools = fs::path(USBLOOP_DSP).parent_path();
    return {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                          "usb-redir,chardev=slot0,bus=xhci.0,port=1", "-virtfs",
                          "local,path=" + tools + ",mount_tag=tools,security_model=none,readonly=on"}};
  }

  Process plug(const std::string& spec, const std::string& id, int speed, const std::vector<std::string>& more = {}) {
    const std::size_t from = guest.mark();
    std::vector<std::string> argv = {device_sim(), "--emulate", spec, "--to",
                                     "unix:" + (plain.dir() / "slot0.sock").string()};
    argv.insert(argv.end(), more.begin(), more.end());
    Process process({.name = "sound-" + std::to_string(++number), .argv = argv, .log_dir = dir.path()});
    guest.wait_for_line("usbloop-guest: usb add " + id + " speed=" + std::to_string(speed) + " ", 20s, from);
    wait_until("the guest's /dev/dsp", 20s, [&] { return guest.run("test -c /dev/dsp").status == 0; });
    CHECK(guest.must_run("basename $(readlink /sys/bus/usb/devices/1-1:1.1/driver)") == "snd-usb-audio");
    return process;
  }

  void unplug(Process& device) {
    device.signal(SIGTERM);
    const auto status = device.wait_exit(10s);
    CHECK_MESSAGE(status.success(), device.output());
    guest.must_run("for i in $(seq 400); do [ -e /sys/bus/usb/devices/1-1 ] || break; usleep 50000; done");
  }

  struct Heard {
    int hertz = 0, peak = 0, different = 0;
  };
  Heard listen(int channels, int seconds = 3) {
    const std::string text =
        guest.must_run("/tools/dsp capture " + std::to_string(channels) + " " + std::to_string(seconds), 120s);
    std::smatch match;
    REQUIRE_MESSAGE(std::regex_search(text, match, std::regex("hertz=(\\d+) peak=(\\d+) different=(\\d+)")), text);
    MESSAGE(text);
    return {std::stoi(match[1]), std::stoi(match[2]), std::stoi(match[3])};
  }

  const CaseDir dir;
  PlainGuest plain{dir, options()};
  GuestConsole& guest = plain.boot();
  int number = 0;
};

std::uint32_t number_in(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes.at(at + i))) << 8 * i;
  }
  return value;
}

/// The sound of a WAV file, without the frames that are silent.
std::vector<std::int16_t> played(const fs::path& path, std::size_t channels) {
  constexpr std::size_t kWaveHeader = 44, kCountAt = 40;
  const std::string wave = read_file(path);
  REQUIRE(wave.size() >= kWaveHeader);
  CHECK(number_in(wave, kCountAt, 4) == wave.size() - kWaveHeader);
  std::vector<std::int16_t> samples;
  for (std::size_t at = kWaveHeader; at + 2 * channels <= wave.size(); at += 2 * channels) {
    if (number_in(wave, at, 2) == 0) continue;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      samples.push_back(static_cast<std::int16_t>(number_in(wave, at + 2 * channel, 2)));
    }
  }
  return samples;
}

std::vector<std::int16_t> sequence(std::uint32_t frames, int channels) {
  std::vector<std::int16_t> samples;
  for (std::uint32_t frame = 0; frame < frames; ++frame) {
    for (int channel = 0; channel < channels; ++channel) samples.push_back(sequence_sample(frame, channel));
  }
  return samples;
}

}  // namespace

TEST_CASE("a guest hears a microphone's tone, as loud as it sets it, at full and at high speed") {
  SoundBench bench;
  {
    Process microphone = bench.plug("microphone,tone=1000", "0d8c:0005", 12);
    const auto full = bench.listen(1);
    CHECK(std::abs(full.hertz - 1000) <= 20);
    CHECK(std::abs(full.peak - 16384) < 20);
    bench.guest.must_run("/tools/dsp set Volume 42");  // of 48 steps of a decibel
    CHECK(std::abs(bench.listen(1).peak - 8211) < 20);
    bench.guest.must_run("/tools/dsp set Switch 0");
    CHECK(bench.listen(1).peak == 0);
    bench.unplug(microphone);
  }
  Process microphone = bench.plug("microphone,tone=440,channels=2,speed=high", "0d8c:0005", 480);
  const auto high = bench.listen(2);
  CHECK(std::abs(high.hertz - 440) <= 9);
  CHECK(high.different == 0);
  bench.unplug(microphone);
}

TEST_CASE("a speaker's file has each sample that a guest plays, at full and at high speed, also when it is killed") {
  SoundBench bench;
  const fs::path file = bench.dir.path() / "played.wav";
  {
    Process speaker = bench.plug("speaker,file=" + file.string(), "0d8c:0012", 12);
    bench.guest.must_run("/tools/dsp play 2 96000", 60s);
    bench.unplug(speaker);
    CHECK(played(file, 2) == sequence(96'000, 2));
  }
  {
    Process speaker = bench.plug("speaker,channels=1,speed=high,file=" + file.string(), "0d8c:0012", 480);
    bench.guest.must_run("/tools/dsp set Volume 28");  // a tenth
    bench.guest.must_run("/tools/dsp play 1 24000", 60s);
    bench.guest.must_run("/tools/dsp set Volume 48");
    bench.guest.must_run("/tools/dsp play 1 24000", 60s);
    bench.unplug(speaker);
    const auto sound = played(file, 1);
    const auto expected = sequence(24'000, 1);
    REQUIRE(sound.size() >= expected.size());
    CHECK(std::equal(expected.rbegin(), expected.rend(), sound.rbegin()));
    CHECK(std::abs(*std::max_element(sound.begin(), sound.end() - static_cast<std::ptrdiff_t>(expected.size())) -
                   3001) <= 1);
  }
  Process speaker = bench.plug("speaker,file=" + file.string(), "0d8c:0012", 12);
  bench.guest.must_run("/tools/dsp play 2 48000", 60s);
  speaker.signal(SIGKILL);
  speaker.wait_exit(10s);
  CHECK(played(file, 2) == sequence(48'000, 2));  // the guest has closed it before
}

TEST_CASE("a guest hears a recorded microphone again") {
  SoundBench bench;
  const std::string file = (bench.dir.path() / "heard.pcapng").string();
  for (const bool is_replay : {false, true}) {
    CAPTURE(is_replay);
    const std::vector<std::string> more =
        is_replay ? std::vector<std::string>{} : std::vector<std::string>{"--record", file};
    Process microphone = bench.plug(is_replay ? "replay,file=" + file : "microphone,tone=1000", "0d8c:0005", 12, more);
    // The recorded sound is as long as what the guest listened to, and a little more.
    const auto heard = bench.listen(1, is_replay ? 2 : 4);
    CHECK(std::abs(heard.hertz - 1000) <= 20);
    CHECK(std::abs(heard.peak - 16384) < 20);
    bench.unplug(microphone);
  }
}
