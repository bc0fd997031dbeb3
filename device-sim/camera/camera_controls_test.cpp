#include <doctest/doctest.h>

#include "device-sim/camera/camera_rig.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::camera;

namespace {

constexpr std::uint16_t kUnit = 0x0300, kBright = 0x0200, kRich = 0x0300;

int signed_number(const std::vector<std::byte>& bytes) {
  REQUIRE(bytes.size() == 2);
  return static_cast<std::int16_t>(std::to_integer<unsigned>(bytes[0]) | std::to_integer<unsigned>(bytes[1]) << 8);
}

std::vector<std::byte> number_bytes(int value) {
  return {static_cast<std::byte>(value & 0xff), static_cast<std::byte>(value >> 8 & 0xff)};
}

/// The luma of the bars from white to black, in the middle of each.
std::vector<int> bars(const std::vector<std::byte>& picture) {
  std::vector<int> lumas;
  for (std::size_t bar = 0; bar < 8; ++bar)
    lumas.push_back(std::to_integer<int>(picture[(50 * 320 + bar * 40 + 20) * 2]));
  return lumas;
}

}  // namespace

TEST_CASE("brightness and contrast have their ranges, and change the pictures but not their strip") {
  CameraRig rig;
  struct Control {
    std::uint16_t selector;
    int least, most, usual;
  };
  for (const Control& control : {Control{kBright, -100, 100, 0}, {kRich, 0, 64, 32}}) {
    const auto read = [&](std::uint8_t request) {
      return signed_number(rig.get(request, control.selector, kUnit).data);
    };
    CHECK(read(0x81) == control.usual);
    CHECK(read(0x82) == control.least);
    CHECK(read(0x83) == control.most);
    CHECK(read(0x84) == 1);
    CHECK(read(0x85) == 2);
    CHECK(rig.get(0x86, control.selector, kUnit).data == std::vector{std::byte{3}});
    CHECK(read(0x87) == control.usual);
  }
  REQUIRE(rig.set(kCommit, mode(1, 1, 333333)) == usb_redir_success);
  std::uint32_t number = 0;
  const auto next = [&] {
    auto picture = rig.picture(kBulkPayload);
    check_picture(picture, 320, 240, number++);
    rig.pass(std::chrono::milliseconds(34));
    return bars(picture);
  };
  const std::vector<int> plain = {180, 162, 131, 112, 84, 65, 35, 16};
  CHECK(next() == plain);
  REQUIRE(rig.set(kBright, number_bytes(20), kUnit) == usb_redir_success);
  CHECK(next() == std::vector<int>{200, 182, 151, 132, 104, 85, 55, 36});
  CHECK(signed_number(rig.get(0x81, kBright, kUnit).data) == 20);
  REQUIRE(rig.set(kRich, number_bytes(0), kUnit) == usb_redir_success);
  CHECK(next() == std::vector<int>(8, 146));
  REQUIRE(rig.set(kRich, number_bytes(64), kUnit) == usb_redir_success);
  REQUIRE(rig.set(kBright, number_bytes(-10), kUnit) == usb_redir_success);
  CHECK(next() == std::vector<int>{224, 188, 126, 88, 32, 16, 16, 16});
  rig.guest.parser.send_reset();
  rig.configure();
  CHECK(signed_number(rig.get(0x81, kBright, kUnit).data) == -10);
}

TEST_CASE("controls that the camera has not, and values out of range, are stalled with the reason") {
  CameraRig rig;
  const auto reason = [&] { return std::to_integer<int>(rig.get(kGetRequest, 0x0200, 0).data.at(0)); };
  for (const int value : {-101, 101, 32767, -32768})
    CHECK(rig.set(kBright, number_bytes(value), kUnit) == usb_redir_stall);
  for (const int value : {-1, 65}) CHECK(rig.set(kRich, number_bytes(value), kUnit) == usb_redir_stall);
  for (const std::size_t size : {0U, 1U, 3U, 26U})
    CHECK(rig.set(kRich, std::vector<std::byte>(size), kUnit) == usb_redir_stall);
  CHECK(reason() == 4);
  for (const int selector : {0x0000, 0x0100, 0x0400, 0x0201, 0xff00}) {
    CHECK(rig.set(static_cast<std::uint16_t>(selector), number_bytes(1), kUnit) == usb_redir_stall);
  }
  CHECK(reason() == 6);
  CHECK(rig.get(0x88, kBright, kUnit).status == usb_redir_stall);
  CHECK(reason() == 7);
  CHECK(rig.get(0x81, kBright, 0x0301).status == usb_redir_stall);  // the unit is of the other interface
  CHECK(rig.get(0x81, kBright, 0x0100).status == usb_redir_stall);  // the terminal has none
  CHECK(rig.get(0x81, kBright, kUnit).data == number_bytes(0));
}
