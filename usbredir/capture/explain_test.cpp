#include "usbredir/capture/explain.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "usbredir/capture/test_support.h"

using namespace usbloop;
using namespace usbloop::capture;
using usbredir::TransferType;

namespace {

std::string first_control(const Setup& setup, std::uint32_t length) {
  Urb urb;
  urb.id = 3;
  urb.setup = setup;
  urb.endpoint = setup[0] & 0x80;
  urb.length = length;
  return explain(urb);
}

Urb bulk_out(std::vector<std::byte> data) {
  Urb urb;
  urb.id = 31;
  urb.type = TransferType::bulk;
  urb.endpoint = 2;
  urb.length = static_cast<std::uint32_t>(data.size());
  urb.whole = data.size();
  urb.data = std::move(data);
  return urb;
}

}  // namespace

TEST_CASE("requests are named, with what they are about") {
  CHECK(first_control({0x80, 6, 0, 1, 0, 0, 18, 0}, 18) ==
        "guest: control IN 0x80 #3: GET_DESCRIPTOR device 0, 18 bytes");
  CHECK(first_control({0x81, 6, 0, 0x22, 0, 0, 63, 0}, 63) ==
        "guest: control IN 0x80 #3: GET_DESCRIPTOR HID report 0, 63 bytes");
  CHECK(first_control({0, 9, 1, 0, 0, 0, 0, 0}, 0) == "guest: control OUT 0x00 #3: SET_CONFIGURATION 1");
  CHECK(first_control({1, 0x0b, 3, 0, 2, 0, 0, 0}, 0) ==
        "guest: control OUT 0x00 #3: SET_INTERFACE 2, alternate setting 3");
  CHECK(first_control({2, 1, 0, 0, 0x81, 0, 0, 0}, 0) ==
        "guest: control OUT 0x00 #3: CLEAR_FEATURE 0 of endpoint 0x81");
  CHECK(first_control({0xa1, 0xfe, 0, 0, 0, 0, 1, 0}, 1) ==
        "guest: control IN 0x80 #3: class request 0xfe, value 0x00, index 0x00, 1 byte");
  CHECK(first_control({0x80, 0x77, 0, 0, 0, 0, 0, 0}, 0) == "guest: control IN 0x80 #3: standard request 0x77");
}

TEST_CASE("mass storage is read by its signatures, and only in full") {
  auto command = test::bytes(
      {'U', 'S', 'B', 'C', 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 10, 0x28, 0, 0, 0, 0x10, 8, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0});
  CHECK(explain(bulk_out(command)) == "guest: bulk OUT 0x02 #31: SCSI READ(10), block 4104, 8 blocks");
  command[15] = std::byte{0xc5};
  CHECK(explain(bulk_out(command)) == "guest: bulk OUT 0x02 #31: SCSI command 0xc5");
  command.pop_back();
  CHECK(explain(bulk_out(command)) == "guest: bulk OUT 0x02 #31: 30 bytes");
  Urb status = bulk_out(test::bytes({'U', 'S', 'B', 'S', 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  status.event = Event::complete;
  status.endpoint = 0x81;
  CHECK(explain(status) == "device: bulk IN 0x81 #31: SCSI status failed");
  Urb cut = bulk_out(command);
  cut.data.resize(13);
  CHECK(explain(cut) == "guest: bulk OUT 0x02 #31: 30 bytes");
  CHECK(explain(bulk_out({})) == "guest: bulk OUT 0x02 #31: 0 bytes");
}

TEST_CASE("ends are told in words, and streams by the number of their transfer") {
  Urb urb = bulk_out({});
  urb.event = Event::complete;
  urb.status = urb_status::kStall;
  CHECK(explain(urb) == "device: bulk OUT 0x02 #31: stall, the device refuses it");
  urb.status = -5;
  CHECK(explain(urb) == "device: bulk OUT 0x02 #31: ended with -5");
  std::vector<std::string> lines;
  test::HandMadeSession session([&](Urb&& record) { lines.push_back(explain(record)); });
  test::play_camera(session);
  const auto has = [&](const char* line) { return std::find(lines.begin(), lines.end(), line) != lines.end(); };
  CHECK(has("guest: isochronous IN 0x81 #s1: asks for 16384 bytes in 16 packets"));
  CHECK(has("device: isochronous IN 0x81 #s6: cancelled"));
}
