#include <doctest/doctest.h>

#include "common/temp_dir.h"
#include "device-sim/camera.h"
#include "device-sim/camera_rig.h"
#include "device-sim/replay_rig.h"

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
