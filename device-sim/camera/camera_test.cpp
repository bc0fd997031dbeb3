#include <doctest/doctest.h>

#include "common/test_text.h"
#include "device-sim/camera/camera_rig.h"
#include "device-sim/kinds.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::camera;
using namespace std::chrono_literals;

TEST_CASE("a camera proposes the nearest mode that it has, and takes no other") {
  CameraRig rig;
  const auto preset = rig.get(0x87, kProbe).data;
  REQUIRE(preset.size() == 26);
  CHECK(word(preset, 4) == 333333);
  CHECK(word(preset, 18) == 640 * 480 * 2);
  CHECK(rig.get(0x85, kProbe).data == std::vector{std::byte{26}, std::byte{0}});
  CHECK(rig.get(0x86, kCommit).data == std::vector{std::byte{3}});
  CHECK(word(rig.get(0x82, kProbe).data, 4) == 333333);
  CHECK(word(rig.get(0x83, kProbe).data, 4) == 2000000);

  CHECK(rig.set(kProbe, mode(1, 1, 700000)) == usb_redir_success);
  const auto small = rig.get(kGetRequest, kProbe).data;
  CHECK(small[3] == std::byte{1});
  CHECK(word(small, 4) == 666666);
  CHECK(word(small, 18) == 320 * 240 * 2);
  CHECK(word(small, 22) == kBulkPayload);
  CHECK(rig.set(kProbe, mode(9, 200, 0xffffffff)) == usb_redir_success);
  const auto far = rig.get(kGetRequest, kProbe).data;
  CHECK(far[2] == std::byte{1});
  CHECK(far[3] == std::byte{2});
  CHECK(word(far, 4) == 2000000);
  CHECK(word(rig.get(kGetRequest, kCommit).data, 4) == 333333);  // nothing was committed

  CHECK(rig.set(kCommit, small) == usb_redir_success);
  CHECK(rig.get(kGetRequest, kCommit).data == small);
}

TEST_CASE("requests that make no sense are stalled, with the reason to be read once, and start nothing") {
  CameraRig rig;
  constexpr std::uint16_t kError = 0x0200;
  const auto reason = [&] { return std::to_integer<int>(rig.get(kGetRequest, kError, 0).data.at(0)); };
  CHECK(reason() == 0);
  for (const auto& bytes : {mode(3, 1, 333333), mode(0, 1, 333333), mode(1, 0, 333333), mode(1, 3, 333333),
                            mode(1, 1, 333334), mode(1, 1, 0)}) {
    CHECK(rig.set(kCommit, bytes) == usb_redir_stall);
    CHECK(reason() == 4);
    CHECK(reason() == 0);
  }
  const auto sound = mode(1, 1, 333333);
  for (const std::size_t size : {0U, 1U, 25U, 27U, 34U, 4096U}) {
    std::vector<std::byte> bytes = sound;
    bytes.resize(size);
    CHECK(rig.set(kCommit, bytes) == usb_redir_stall);
    CHECK(rig.set(kProbe, bytes) == usb_redir_stall);
    CHECK(reason() == 4);
  }
  for (const int index : {0x0000, 0x0101, 0x0002, 0xff01})
    CHECK(rig.set(kCommit, sound, static_cast<std::uint16_t>(index)) != 0);
  for (const int value : {0x0000, 0x0001, 0x0201, 0x0300, 0xffff})
    CHECK(rig.set(static_cast<std::uint16_t>(value), sound) != 0);
  CHECK(reason() == 6);
  CHECK(rig.set(kCommit, sound, 1, 0x22) == usb_redir_stall);        // to an endpoint
  CHECK(rig.set(kCommit, sound, 1, 0x41) == usb_redir_stall);        // of the vendor
  CHECK(rig.set(kCommit, sound, 1, 0x21, 0x02) == usb_redir_stall);  // no such request
  for (const int request : {0x80, 0x84, 0x88, 0xff, 0x01})
    CHECK(rig.get(static_cast<std::uint8_t>(request), kProbe).status != 0);
  CHECK(reason() == 7);
  rig.guest.replies.clear();
  rig.ask(kBulkPayload);
  rig.pass(1s);
  CHECK(rig.guest.replies.empty());
}

TEST_CASE("a camera in words: ids, serial number and transfers, and what it has not is refused by name") {
  using usbloop::testing::contains;
  const auto usual = make_host_end("camera");
  REQUIRE(usual);
  CHECK((*usual)->device().label() == "13d3:5406 \"IMC Networks Integrated Camera\" (emulated camera)");
  const auto other = make_host_end("camera,transfers=isochronous,id=1:2,serial=C1");
  REQUIRE(other);
  CHECK((*other)->device().id() == "0001:0002");
  CHECK((*other)->device().serial == "C1");
  CHECK((*make_host_end("camera", UsbId{3, 4}))->device().id() == "0003:0004");
  const auto cause = [](const char* text) { return make_host_end(text).error().cause; };
  CHECK(contains(cause("camera,transfers=iso"), "transfers=iso is no kind of transfer"));
  CHECK(contains(cause("camera,transfers"), "is no kind of transfer"));
  CHECK(contains(cause("camera,id=x"), "VENDOR:PRODUCT"));
  CHECK(contains(cause("camera,serial=a b"), "126"));
  CHECK(contains(cause("camera,image=x"), "no option 'image'"));
  CHECK(contains(spec_help(), "camera[,transfers=bulk|isochronous]"));
}
