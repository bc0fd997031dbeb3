#include "device-sim/sound/microphone.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/test_text.h"
#include "device-sim/kinds.h"
#include "device-sim/sound/sound_rig.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::sound;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t kHeard = kSoundEndpointIn;

/// All that the guest has got, of the first channel.
std::vector<std::int16_t> heard(SoundRig& rig, unsigned channels = 1) {
  std::vector<std::int16_t> first;
  for (const auto& packet : rig.guest.isochronous) {
    REQUIRE(packet.size() % (2 * channels) == 0);
    const auto samples = samples_of(packet);
    for (std::size_t i = 0; i < samples.size(); i += channels) {
      if (channels == 2) CHECK(samples[i] == samples[i + 1]);
      first.push_back(samples[i]);
    }
  }
  return first;
}

/// How often the sound goes from below zero to zero or above.
int rises(std::span<const std::int16_t> samples) {
  int count = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) count += samples[i - 1] < 0 && samples[i] >= 0 ? 1 : 0;
  return count;
}

std::unique_ptr<Microphone> microphone(unsigned channels, std::uint32_t tone,
                                       usbredir::Speed speed = usbredir::Speed::full) {
  MicrophoneOptions options;
  options.channels = channels;
  options.tone = tone;
  options.speed = speed;
  return std::make_unique<Microphone>(options);
}

void listen(SoundRig& rig) {
  REQUIRE(int{rig.select(1)} == usb_redir_success);
  REQUIRE(int{rig.start(kHeard)} == usb_redir_success);
}

}  // namespace

TEST_CASE("a microphone's tone has its frequency, at each speed and with each number of channels") {
  for (const auto speed : {usbredir::Speed::full, usbredir::Speed::high}) {
    for (const unsigned channels : {1U, 2U}) {
      for (const std::uint32_t tone : {20U, 440U, 1000U, 19'999U}) {
        CAPTURE(channels);
        CAPTURE(tone);
        SoundRig rig(microphone(channels, tone, speed));
        listen(rig);
        for (int i = 0; i < 250; ++i) rig.pass(4ms);
        const auto samples = heard(rig, channels);
        // A second, and the millisecond that is there at once; the last packets may be under way.
        CHECK(samples.size() > 47'800);
        CHECK(samples.size() <= 48'048);
        CHECK(std::abs(rises(samples) - static_cast<int>(tone)) <= static_cast<int>(tone) / 200 + 1);
        CHECK(std::abs(*std::max_element(samples.begin(), samples.end()) - 16384) < 20);
        const std::size_t longest = kSoundPacketFrames * 2 * channels;
        CHECK(std::size_t{rig.guest.endpoints.max_packet_size[17]} == longest);
        for (const auto& packet : rig.guest.isochronous) REQUIRE(packet.size() <= longest);
        // A packet in each 8/7 ms.
        CHECK(rig.guest.isochronous.size() >= 874);
        CHECK(rig.guest.isochronous.size() <= 877);
      }
    }
  }
}

TEST_CASE("a microphone's tone goes on behind a guest that stood still, and is silent when muted") {
  SoundRig rig(microphone(1, 1000));
  listen(rig);
  rig.pass(100ms);
  rig.guest.isochronous.clear();
  rig.pass(10s);  // what was heard in between is lost, but for the last 40 ms
  for (int i = 0; i < 25; ++i) rig.pass(4ms);
  const auto samples = heard(rig);
  CHECK(samples.size() > 140 * 48 - 480);
  CHECK(samples.size() <= 140 * 48 + 48);
  for (std::size_t i = 48; i < samples.size(); ++i) REQUIRE(samples[i] == samples[i - 48]);

  rig.guest.isochronous.clear();
  CHECK(rig.set(kMuteOfAll, little(1, 1)));
  CHECK(rig.get(kCurrent, kMuteOfAll) == little(1, 1));
  rig.pass(20ms);
  const auto silent = heard(rig);
  REQUIRE(silent.size() > 500);
  CHECK(std::all_of(silent.begin(), silent.end(), [](std::int16_t sample) { return sample == 0; }));
}

TEST_CASE("volume has a range in steps of a decibel, and makes the sound as loud as it says") {
  SoundRig rig(microphone(1, 1000));
  CHECK(rig.get(kLeast, kVolumeOfAll) == little(0xd000, 2));
  CHECK(rig.get(kMost, kVolumeOfAll) == little(0, 2));
  CHECK(rig.get(kResolution, kVolumeOfAll) == little(0x100, 2));
  CHECK(rig.get(kCurrent, kVolumeOfAll) == little(0, 2));
  CHECK(rig.set(kVolumeOfAll, little(0xfa10, 2)));  // -5.94 dB
  CHECK(rig.get(kCurrent, kVolumeOfAll) == little(0xfa00, 2));
  listen(rig);
  for (int i = 0; i < 25; ++i) rig.pass(4ms);
  const auto samples = heard(rig);
  CHECK(std::abs(*std::max_element(samples.begin(), samples.end()) - 8211) < 10);  // 16384 * 10^(-6/20)

  CHECK_FALSE(rig.set(kVolumeOfAll, little(0x0100, 2)));
  CHECK_FALSE(rig.set(kVolumeOfAll, little(0xcfff, 2)));
  CHECK_FALSE(rig.set(kVolumeOfAll, little(0x8000, 2)));
  CHECK_FALSE(rig.set(kVolumeOfAll, little(0, 1)));
  CHECK_FALSE(rig.set(kVolumeOfAll, little(0, 4)));
  CHECK_FALSE(rig.set(kMuteOfAll, little(2, 1)));
  CHECK_FALSE(rig.set(kMuteOfAll, {}));
  CHECK_FALSE(rig.set(0x0201, little(0, 2)));                // no channel has its own
  CHECK_FALSE(rig.set(kVolumeOfAll, little(0, 2), 0x0300));  // no feature unit
  CHECK_FALSE(rig.set(kVolumeOfAll, little(0, 2), 0x0201));  // another interface
  CHECK(rig.get(kLeast, kMuteOfAll).empty());
  CHECK(rig.get(0x85, kVolumeOfAll).empty());
  CHECK(rig.get(kCurrent, 0x0300).empty());
  CHECK(rig.get(kCurrent, kVolumeOfAll) == little(0xfa00, 2));
}

TEST_CASE("the rate of a microphone is 48 kHz, and another one is refused") {
  SoundRig rig(microphone(1, 1000));
  const auto set_rate = [&](std::uint32_t rate, std::uint16_t endpoint = kHeard, std::size_t size = 3) {
    return rig.control_out(0x22, kSet, kRateOfEndpoint, endpoint, little(rate, size)).status == usb_redir_success;
  };
  CHECK(set_rate(48'000));
  CHECK_FALSE(set_rate(44'100));
  CHECK_FALSE(set_rate(48'000, 0x01));
  CHECK_FALSE(set_rate(48'000, kHeard, 4));
  CHECK(rig.control_in(0xa2, kCurrent, kRateOfEndpoint, kHeard, 3).data == little(48'000, 3));
  CHECK(rig.control_in(0xa2, kMost, kRateOfEndpoint, kHeard, 3).data == little(48'000, 3));
  CHECK(int{rig.control_in(0xa2, kCurrent, 0x0200, kHeard, 3).status} == usb_redir_stall);
}

TEST_CASE("a microphone says nothing before it is listened to, and takes no sound") {
  SoundRig rig(microphone(1, 1000));
  CHECK(int{rig.start(kHeard)} == usb_redir_inval);  // there is no endpoint yet
  CHECK(int{rig.select(2)} == usb_redir_stall);
  listen(rig);
  CHECK(int{rig.start(0x01)} == usb_redir_inval);
  rig.play(kHeard, little(0, 4));
  rig.play(0x01, little(0, 4));
  rig.stop(kHeard);
  rig.guest.isochronous.clear();
  rig.pass(50ms);
  CHECK(rig.guest.isochronous.empty());
  CHECK(int{rig.select(0)} == usb_redir_success);
  rig.pass(50ms);
  CHECK(rig.guest.isochronous.empty());
}

TEST_CASE("the descriptors of sound devices count what they have") {
  for (const auto speed : {usbredir::Speed::full, usbredir::Speed::high}) {
    for (const unsigned channels : {1U, 2U}) {
      const auto device = microphone(channels, 440, speed);
      const auto& bytes = device->descriptors().configuration;
      const auto at = [&](std::size_t place) { return std::to_integer<unsigned>(bytes.at(place)); };
      std::size_t place = 0, of_class = 0;
      for (; place < bytes.size(); place += at(place)) {
        REQUIRE(at(place) >= 2);
        const bool in_control = at(place + 1) == 0x24 && of_class < at(9 + 9 + 5);
        if (in_control) of_class += at(place);
      }
      CHECK(place == bytes.size());
      CHECK(of_class == at(9 + 9 + 5));  // wTotalLength of the control interface's header
      const auto parsed = usbredir::parse_configuration(bytes);
      REQUIRE(parsed);
      REQUIRE(parsed->settings.size() == 3);
      REQUIRE(parsed->settings[2].endpoints.size() == 1);
      CHECK(parsed->settings[2].endpoints[0].type == usbredir::TransferType::iso);
      CHECK(int{parsed->settings[2].endpoints[0].interval} == (speed == usbredir::Speed::high ? 4 : 1));
    }
  }
}

TEST_CASE("what no microphone can have is refused with the reason") {
  const auto cause = [](const std::string& spec) {
    const auto made = make_host_end(spec);
    return made ? std::string() : made.error().cause;
  };
  CHECK(cause("microphone,tone=1000,channels=2,speed=high,serial=M1,id=1234:5678") == "");
  CHECK(cause("microphone,tone=19") == "tone=19 is no number from 20 to 20000");
  CHECK(cause("microphone,tone=4e2") == "tone=4e2 is no number from 20 to 20000");
  CHECK(cause("microphone,tone=99999999999") == "tone=99999999999 is no number from 20 to 20000");
  CHECK(cause("microphone,channels=3") == "channels=3 is no number from 1 to 2");
  CHECK(cause("microphone,speed=super") == "speed=super is not a speed of this device");
  CHECK(testing::contains(cause("microphone,file=x"), "it has no option 'file'"));
}
