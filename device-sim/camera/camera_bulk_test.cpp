#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "device-sim/camera/camera_rig.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace usbloop::device_sim::test::camera;
using namespace std::chrono_literals;

TEST_CASE("pictures come by bulk when they are due, numbered and with their checksum, whatever is asked for at once") {
  for (const std::uint32_t size : {16384U, 512U, 1024U, 65536U, 13U}) {
    CAPTURE(size);
    CameraRig rig;
    REQUIRE(rig.set(kCommit, mode(1, 1, 333333)) == usb_redir_success);
    const auto first = rig.picture(size);
    const bool bit = rig.id_bit;
    check_picture(first, 320, 240, 0);
    CHECK(strip(first, 320, 1) == 0);

    rig.guest.replies.clear();
    rig.ask(size);
    rig.pass(33ms);
    CHECK(rig.guest.replies.empty());  // the next one is not due before 33.3 ms
    rig.guest.parser.send_cancel_data_packet(rig.id);
    rig.exchange();
    CHECK(rig.guest.replies.at(0).status == usb_redir_cancelled);
    rig.pass(1ms);
    const auto second = rig.picture(size);
    check_picture(second, 320, 240, 1);
    CHECK(strip(second, 320, 1) == 34);
    CHECK(rig.id_bit != bit);
  }
}

TEST_CASE("a payload that ends with a transfer is ended by an empty one where it is not the longest") {
  CameraRig rig;
  REQUIRE(rig.set(kCommit, mode(1, 1, 333333)) == usb_redir_success);
  // 153600 bytes are nine payloads of 16382 and one of 6162, with its header 6164: four of 1541.
  for (int i = 0; i < 9; ++i) rig.ask(kBulkPayload);
  rig.guest.replies.clear();
  for (int i = 0; i < 5; ++i) rig.ask(1541);
  REQUIRE(rig.guest.replies.size() == 5);
  CHECK(rig.guest.replies[3].data.size() == 1541);
  CHECK(rig.guest.replies[4].data.empty());
}

TEST_CASE("pictures that nobody fetched are left out, and a guest that stops gets none") {
  CameraRig rig;
  REQUIRE(rig.set(kCommit, mode(1, 2, 333333)) == usb_redir_success);
  check_picture(rig.picture(kBulkPayload), 640, 480, 0);
  rig.pass(1s);
  check_picture(rig.picture(kBulkPayload), 640, 480, 1);
  rig.guest.replies.clear();
  rig.ask(kBulkPayload);
  CHECK(rig.guest.replies.empty());

  rig.guest.parser.send_cancel_data_packet(rig.id);
  CHECK(rig.set(0, {}, kVideoEndpoint, 0x02) == usb_redir_success);  // CLEAR_FEATURE(ENDPOINT_HALT)
  rig.guest.replies.clear();
  rig.ask(kBulkPayload);
  rig.pass(1s);
  CHECK(rig.guest.replies.empty());
  // With a new commit the numbers begin anew, in the middle of a picture too.
  for (int i = 0; i < 3; ++i) {
    rig.guest.parser.send_cancel_data_packet(rig.id);
    REQUIRE(rig.set(kCommit, mode(1, 1, 1000000)) == usb_redir_success);
    rig.ask(kBulkPayload);
  }
  REQUIRE(rig.set(kCommit, mode(1, 1, 1000000)) == usb_redir_success);
  check_picture(rig.picture(kBulkPayload), 320, 240, 0);
}

TEST_CASE("a camera wakes its holder when a picture is due, and never while nobody streams") {
  CameraOptions options;
  auto host = EmulatedHost::make(std::make_unique<Camera>(options));
  REQUIRE(host);
  std::mutex mutex;
  std::condition_variable changed;
  int wakes = 0;
  (*host)->set_wake([&] {
    const std::lock_guard lock(mutex);
    ++wakes;
    changed.notify_all();
  });
  device_sim::test::Guest guest;
  device_sim::test::exchange(**host, guest);
  guest.parser.send_reset();
  guest.parser.send(1, usb_redir_set_configuration_header{1});
  device_sim::test::exchange(**host, guest);
  CHECK(wakes == 0);
  const auto commit = mode(1, 1, 333333);
  guest.parser.send(2, usb_redir_control_packet_header{0, kSetRequest, 0x21, 0, kCommit, 1, 26}, commit);
  // Ten payloads are the first picture; the eleventh waits for the second one.
  for (std::uint64_t id = 3; id < 14; ++id)
    guest.parser.send(id, usb_redir_bulk_packet_header{kVideoEndpoint, 0, 16384, 0, 0});
  device_sim::test::exchange(**host, guest);
  CHECK(guest.replies.size() == 12);
  {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 20s, [&] { return wakes > 0; }));
  }
  (*host)->look();
  device_sim::test::exchange(**host, guest);
  CHECK(guest.replies.size() == 13);
  (*host)->set_wake(nullptr);
}
