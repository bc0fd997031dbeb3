#include "device-sim/sound/speaker.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "common/temp_dir.h"
#include "device-sim/emulation/faulty_device.h"
#include "device-sim/kinds.h"
#include "device-sim/sound/sound_rig.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::sound;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t kPlayed = kSoundEndpointOut;

struct Wave {
  std::string header;
  std::vector<std::byte> sound;

  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t size) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(header.at(at + i))) << 8 * i;
    }
    return value;
  }
};

/// The header has to count what is behind it.
Wave read_wave(const std::filesystem::path& path, unsigned channels = 2) {
  std::ifstream in(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  REQUIRE(all.size() >= WaveFile::kHeaderSize);
  Wave wave;
  wave.header = all.substr(0, WaveFile::kHeaderSize);
  for (const char c : all.substr(WaveFile::kHeaderSize)) wave.sound.push_back(static_cast<std::byte>(c));
  CHECK(wave.header.substr(0, 4) == "RIFF");
  CHECK(wave.header.substr(8, 8) == "WAVEfmt ");
  CHECK(wave.header.substr(36, 4) == "data");
  CHECK(wave.number(4, 4) == 36 + wave.number(40, 4));
  CHECK(wave.number(16, 4) == 16);
  CHECK(wave.number(20, 2) == 1);
  CHECK(wave.number(22, 2) == channels);
  CHECK(wave.number(24, 4) == 48'000);
  CHECK(wave.number(28, 4) == 48'000 * 2 * channels);
  CHECK(wave.number(32, 2) == 2 * channels);
  CHECK(wave.number(34, 2) == 16);
  CHECK(wave.number(40, 4) == wave.sound.size());
  return wave;
}

/// So many frames of two channels, from a number on.
std::vector<std::byte> ramp(std::size_t frames, std::uint32_t from = 0) {
  std::vector<std::byte> bytes;
  for (std::uint32_t i = 0; i < frames * 2; ++i) {
    const auto sample = static_cast<std::uint16_t>((from * 2 + i) * 7);
    bytes.push_back(static_cast<std::byte>(sample & 0xff));
    bytes.push_back(static_cast<std::byte>(sample >> 8));
  }
  return bytes;
}

std::unique_ptr<Device> speaker(const std::filesystem::path& path, std::uint64_t most = UINT64_MAX,
                                usbredir::Speed speed = usbredir::Speed::full) {
  auto file = WaveFile::create(path, 2, kSoundRate, most);
  REQUIRE(file);
  SpeakerOptions options;
  options.speed = speed;
  return std::make_unique<FaultyDevice>(std::make_unique<Speaker>(options, std::move(*file)));
}

void begin(SoundRig& rig) {
  REQUIRE(int{rig.select(1)} == usb_redir_success);
  REQUIRE(int{rig.start(kPlayed)} == usb_redir_success);
}

}  // namespace

TEST_CASE("a speaker's file has what the guest plays, sample by sample, and a right header all the time") {
  const testing::TempDir folder;
  const auto path = folder.path / "out.wav";
  for (const auto speed : {usbredir::Speed::full, usbredir::Speed::high}) {
    SoundRig rig(speaker(path, UINT64_MAX, speed));
    CHECK(read_wave(path).sound.empty());
    begin(rig);
    std::size_t seen = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
      rig.play(kPlayed, ramp(48, i * 48));
      const Wave now = read_wave(path);
      CHECK(now.sound.size() + 4096 > (i + 1) * 48 * 4);  // not more than 21 ms are missing
      CHECK(now.sound.size() >= seen);
      seen = now.sound.size();
    }
    CHECK(int{rig.select(0)} == usb_redir_success);
    CHECK(read_wave(path).sound == ramp(200 * 48));
    begin(rig);
    rig.play(kPlayed, ramp(10));
    rig.play(kPlayed, {});
    rig.host->disconnect();
    CHECK(read_wave(path).sound.size() == (200 * 48 + 10) * 4);
  }
}

TEST_CASE("what a guest plays is as loud as it says, and a frame that is cut is none") {
  const testing::TempDir folder;
  const auto path = folder.path / "out.wav";
  SoundRig rig(speaker(path));
  begin(rig);
  auto cut = ramp(3);
  cut.resize(cut.size() + 3, std::byte{9});
  rig.play(kPlayed, cut);
  CHECK(rig.set(kVolumeOfAll, little(0xec00, 2)));  // -20 dB
  rig.play(kPlayed, little(10'000, 2));             // half a frame
  std::vector<std::byte> loud = little(10'000, 2);
  const auto low = little(static_cast<std::uint16_t>(-20'000), 2);
  loud.insert(loud.end(), low.begin(), low.end());
  rig.play(kPlayed, loud);
  CHECK(rig.set(kMuteOfAll, little(1, 1)));
  rig.play(kPlayed, loud);
  CHECK(rig.set(kMuteOfAll, little(0, 1)));
  CHECK(rig.set(kVolumeOfAll, little(0, 2)));
  rig.play(kPlayed, loud);
  rig.host->disconnect();
  auto expected = samples_of(ramp(3));
  for (const int sample : {1000, -2000, 0, 0, 10'000, -20'000}) expected.push_back(static_cast<std::int16_t>(sample));
  CHECK(samples_of(read_wave(path).sound) == expected);
}

TEST_CASE("sound that has no place is dropped, and the stream ends with its setting and a reset") {
  const testing::TempDir folder;
  const auto path = folder.path / "out.wav";
  SoundRig rig(speaker(path));
  CHECK(int{rig.start(kPlayed)} == usb_redir_inval);
  rig.play(kPlayed, ramp(1));
  CHECK(int{rig.select(1)} == usb_redir_success);
  rig.play(kPlayed, ramp(1));  // the stream has not begun
  CHECK(int{rig.start(0x81)} == usb_redir_inval);
  CHECK(int{rig.start(kPlayed)} == usb_redir_success);
  CHECK(int{rig.start(kPlayed)} == usb_redir_success);
  rig.play(kPlayed, ramp(kSoundPacketFrames + 1));  // longer than a packet can be
  rig.play(0x02, ramp(1));
  rig.play(0x81, ramp(1));
  rig.play(kPlayed, ramp(kSoundPacketFrames));
  rig.stop(kPlayed);
  rig.play(kPlayed, ramp(1));
  CHECK(int{rig.start(kPlayed)} == usb_redir_success);
  CHECK(int{rig.select(0)} == usb_redir_success);
  rig.play(kPlayed, ramp(1));
  begin(rig);
  rig.guest.parser.send_reset();
  rig.play(kPlayed, ramp(1));
  rig.host->disconnect();
  rig.play(kPlayed, ramp(1));
  CHECK(read_wave(path).sound == ramp(kSoundPacketFrames));
}

TEST_CASE("a packet that a fault hits is lost, and sound ends with the device") {
  const testing::TempDir folder;
  const auto path = folder.path / "out.wav";
  auto device = speaker(path);
  REQUIRE(device->set_fault(parse_fault("timeout:at=2").value()));
  REQUIRE(device->set_fault(parse_fault("unplug:at=4").value()));
  SoundRig rig(std::move(device));
  begin(rig);
  for (std::uint32_t i = 0; i < 4; ++i) rig.play(kPlayed, ramp(2, 2 * i));
  CHECK(rig.guest.events.back() == "disconnect");
  auto expected = ramp(2);
  const auto third = ramp(2, 4);
  expected.insert(expected.end(), third.begin(), third.end());
  CHECK(read_wave(path).sound == expected);
}

TEST_CASE("a speaker's file is bounded, one device's, and a file") {
  const testing::TempDir folder;
  const auto path = folder.path / "out.wav";
  {
    SoundRig rig(speaker(path, 101));  // 25 frames and a byte
    begin(rig);
    for (std::uint32_t i = 0; i < 300; ++i) rig.play(kPlayed, ramp(20, i * 20));
    const auto second = WaveFile::create(path, 2, kSoundRate);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == ErrorKind::conflict);
    rig.host->disconnect();
    CHECK(read_wave(path).sound == ramp(25));
  }
  const auto refusal = [](const std::string& spec) {
    const auto made = make_host_end(spec);
    return made ? std::string() : made.error().message();
  };
  CHECK(refusal("speaker") == "");
  CHECK(refusal("speaker,channels=1,seconds=5,file=" + path.string()) == "");
  CHECK(read_wave(path, 1).sound.empty());  // the file is made anew
  CHECK(refusal("speaker,file=" + folder.path.string()) ==
        "cannot write the sound to " + folder.path.string() + ": Is a directory");
  CHECK(refusal("speaker,file=/dev/null") == "cannot write the sound to /dev/null: it is no file");
  CHECK(refusal("speaker,seconds=5").find("seconds= goes with file=") != std::string::npos);
  CHECK(refusal("speaker,file=" + path.string() + ",seconds=0").find("seconds=0 is no number") != std::string::npos);
}

TEST_CASE("a file that cannot be written is told of when the device is taken away") {
  const testing::TempDir folder;
  auto file = WaveFile::create(folder.path / "full.wav", 2, kSoundRate);
  REQUIRE(file);
  SpeakerOptions options;
  SoundRig rig(std::make_unique<Speaker>(options, std::move(*file)));
  begin(rig);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{1000, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  for (std::uint32_t i = 0; i < 100; ++i) rig.play(kPlayed, ramp(48));
  rig.host->disconnect();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  const auto outcome = rig.host->outcome();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().cause == "File too large");
}
