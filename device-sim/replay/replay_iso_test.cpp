#include <doctest/doctest.h>

#include "common/temp_dir.h"
#include "device-sim/camera/camera.h"
#include "device-sim/camera/camera_rig.h"
#include "device-sim/replay/replay_rig.h"
#include "device-sim/sound/microphone.h"
#include "device-sim/sound/speaker.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::replay;
namespace camera = usbloop::device_sim::test::camera;

namespace {

std::unique_ptr<Device> isochronous_camera() {
  CameraOptions options;
  options.transfers = VideoTransfers::isochronous;
  return std::make_unique<Camera>(options);
}

/// Lets a camera stream, and gives what has come, without the packets that are empty.
std::vector<std::vector<std::byte>> film(ReplayGuest& guest) {
  constexpr std::uint8_t kLastAlternate = 6;
  guest.enumerate();
  guest.descriptor(0x0200, 4096);
  guest.control(0x21, camera::kSetRequest, camera::kCommit, 1, 26, camera::mode(1, 1, 2000000));
  guest.guest.parser.send(++guest.id, usb_redir_set_alt_setting_header{1, kLastAlternate});
  guest.carry();
  guest.guest.parser.send(++guest.id, usb_redir_start_iso_stream_header{kVideoEndpoint, 32, 4});
  for (int i = 0; i < 4; ++i) guest.carry();
  guest.guest.parser.send(++guest.id, usb_redir_stop_iso_stream_header{kVideoEndpoint});
  guest.carry();
  auto packets = guest.guest.isochronous;
  std::erase_if(packets, [](const auto& packet) { return packet.empty(); });
  return packets;
}

/// Chooses the setting with sound and starts the stream, as a driver does.
void start_sound(ReplayGuest& guest, std::uint8_t endpoint) {
  const std::vector<std::byte> rate = {std::byte{0x80}, std::byte{0xbb}, std::byte{0}};
  guest.enumerate();
  guest.guest.parser.send(++guest.id, usb_redir_set_alt_setting_header{kSoundStreamInterface, 1});
  guest.control(0x22, 1, 0x0100, endpoint, 3, rate);
  guest.guest.parser.send(++guest.id, usb_redir_start_iso_stream_header{endpoint, 8, 4});
  guest.carry();
  CHECK(int{guest.guest.replies.back().status} == usb_redir_success);
}

std::vector<std::byte> listen_to_tone(ReplayGuest& guest) {
  start_sound(guest, kSoundEndpointIn);
  for (int i = 0; i < 10; ++i) guest.carry();
  std::vector<std::byte> sound;
  for (const auto& packet : guest.guest.isochronous) sound.insert(sound.end(), packet.begin(), packet.end());
  return sound;
}

void play_noise(ReplayGuest& guest, int packets, std::byte value) {
  start_sound(guest, kSoundEndpointOut);
  const std::vector<std::byte> noise(192, value);
  for (int i = 0; i < packets; ++i) {
    guest.guest.parser.send(++guest.id, usb_redir_iso_packet_header{kSoundEndpointOut, 0, 192}, noise);
  }
  guest.carry();
}

}  // namespace

TEST_CASE("a recorded isochronous stream is there again, packet by packet") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "camera.pcapng";
  std::vector<std::vector<std::byte>> recorded, replayed;
  record(path, isochronous_camera(), [&](ReplayGuest& guest) { recorded = film(guest); });
  ReplayGuest guest = replay_of(path);
  replayed = film(guest);
  CHECK(guest.trouble() == "");
  CHECK(guest.guest.replies.size() > 8);

  // The guest asks for 32 packets at once, and the last of these questions is not answered whole.
  REQUIRE(recorded.size() > 200);
  CHECK(replayed.size() + 32 >= recorded.size());
  REQUIRE(replayed.size() <= recorded.size());
  recorded.resize(replayed.size());
  CHECK(recorded == replayed);
}

TEST_CASE("a recorded microphone is heard again, and a recorded speaker takes what is played") {
  const usbloop::testing::TempDir folder;
  const auto path = folder.path / "sound.pcapng";
  std::vector<std::byte> recorded;
  record(path, std::make_unique<Microphone>(MicrophoneOptions{}),
         [&](ReplayGuest& guest) { recorded = listen_to_tone(guest); });
  {
    ReplayGuest guest = replay_of(path);
    const auto replayed = listen_to_tone(guest);
    CHECK(guest.trouble() == "");
    REQUIRE(replayed.size() > 100'000);
    REQUIRE(replayed.size() <= recorded.size());
    recorded.resize(replayed.size());
    CHECK(recorded == replayed);
  }
  record(path, std::make_unique<Speaker>(SpeakerOptions{}, nullptr),
         [&](ReplayGuest& guest) { play_noise(guest, 50, std::byte{1}); });
  ReplayGuest guest = replay_of(path);
  play_noise(guest, 80, std::byte{2});
  guest.guest.parser.send(++guest.id, usb_redir_stop_iso_stream_header{kSoundEndpointOut});
  guest.carry();
  CHECK(guest.trouble() == "");
  CHECK(int{guest.guest.replies.back().status} == usb_redir_success);
}
