#include <doctest/doctest.h>

#include "device-sim/camera/camera_rig.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::camera;
using namespace std::chrono_literals;

TEST_CASE("isochronous pictures come by the clock, in packets of the alternate setting") {
  for (std::uint8_t alternate = 1; alternate <= kIsoSettings.size(); ++alternate) {
    CAPTURE(alternate);
    CameraRig rig(VideoTransfers::isochronous);
    REQUIRE(rig.set(kCommit, mode(1, 1, 2000000)) == usb_redir_success);
    CHECK(rig.start_iso() == usb_redir_inval);  // there is no endpoint yet
    CHECK(rig.select(alternate).status == usb_redir_success);
    const std::size_t packet = kIsoSettings[alternate - 1U].bytes();
    CHECK(std::size_t{rig.guest.endpoints.max_packet_size[17]} == packet);
    rig.pass(100ms);
    CHECK(rig.guest.isochronous.empty());
    CHECK(rig.start_iso() == usb_redir_success);
    for (int i = 0; i < 150; ++i) rig.pass(4ms);
    CHECK(rig.guest.isochronous.size() ==
          600'000'000U / ((125'000U << (kIsoSettings[alternate - 1U].exponent - 1)) * 8 / 7) + 1);

    std::vector<std::byte> picture;
    std::uint32_t number = 0;
    for (const auto& each : rig.guest.isochronous) {
      REQUIRE(each.size() <= packet);
      picture.insert(picture.end(), each.begin() + 2, each.end());
      if ((each[1] & std::byte{2}) == std::byte{0}) continue;
      check_picture(picture, 320, 240, number++);
      picture.clear();
    }
    // Due at 0, 200, 400 and 600 ms of 700. The smallest packets need 171 ms for each.
    CHECK(number == (alternate == 1 ? 3 : 4));
  }
}

TEST_CASE("the payload that an isochronous camera tells asks for as few packets as a mode needs") {
  CameraRig rig(VideoTransfers::isochronous);
  const auto payload = [&](std::uint8_t frame, std::uint32_t interval) {
    REQUIRE(rig.set(kProbe, mode(1, frame, interval)) == usb_redir_success);
    return word(rig.get(kGetRequest, kProbe).data, 22);
  };
  CHECK(payload(1, 2000000) == 1024);  // 0.8 MB/s, of 1 MB/s
  CHECK(payload(1, 1000000) == 2048);
  CHECK(payload(1, 666666) == 3048);
  CHECK(payload(1, 333333) == 3054);
  CHECK(payload(2, 1000000) == 3060);
  CHECK(payload(2, 333333) == 3072);  // 18 MB/s, of 24 MB/s
}

TEST_CASE("an isochronous stream stops with its packet, its setting and a reset, and may be started twice") {
  CameraRig rig(VideoTransfers::isochronous);
  const auto comes = [&] {
    rig.guest.isochronous.clear();
    rig.pass(10ms);
    return !rig.guest.isochronous.empty();
  };
  const auto stop = [&] {
    rig.guest.parser.send(++rig.id, usb_redir_stop_iso_stream_header{kVideoEndpoint});
    return rig.reply().status;
  };
  REQUIRE(rig.select(2).status == usb_redir_success);
  CHECK(rig.start_iso(0x82) == usb_redir_inval);
  CHECK(rig.start_iso(0x01) == usb_redir_inval);
  CHECK(stop() == usb_redir_success);
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(comes());
  CHECK(stop() == usb_redir_success);
  CHECK_FALSE(comes());
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(comes());
  REQUIRE(rig.select(0).status == usb_redir_success);
  CHECK_FALSE(comes());
  CHECK(rig.select(7).status == usb_redir_stall);
  REQUIRE(rig.select(6).status == usb_redir_success);
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(comes());
  rig.guest.parser.send_reset();
  rig.exchange();
  CHECK_FALSE(comes());
}

TEST_CASE("a guest that does not take its isochronous packets costs a bounded memory, and late ones are left out") {
  CameraRig rig(VideoTransfers::isochronous);
  REQUIRE(rig.select(6).status == usb_redir_success);
  REQUIRE(rig.start_iso() == usb_redir_success);
  for (int i = 0; i < 1000; ++i) {
    the_time += 10ms;
    rig.host->look();
  }
  CHECK_FALSE(rig.host->wants_input());
  rig.exchange();
  std::size_t bytes = 0;
  for (const auto& packet : rig.guest.isochronous) bytes += packet.size();
  CHECK(bytes < 3 * 1024 * 1024);
  CHECK(bytes > 1000 * 1000);
  rig.guest.isochronous.clear();
  rig.pass(10s);
  CHECK(rig.guest.isochronous.size() <= 321);  // 40 ms
}
