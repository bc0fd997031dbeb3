#include "usbredir/capture/translator.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/test_text.h"
#include "usbredir/capture/test_support.h"

using namespace usbloop;
using namespace usbloop::capture;
using usbredir::TransferType;

namespace {

struct Rig {
  explicit Rig(test::HandMadeSession::Options options = {})
      : session([this](Urb&& urb) { urbs.push_back(std::move(urb)); }, std::move(options)) {}

  usb_redir_bulk_packet_header bulk(std::uint8_t endpoint, std::size_t size, std::uint8_t status = 0) {
    return {endpoint, status, static_cast<std::uint16_t>(size), 0, static_cast<std::uint16_t>(size >> 16)};
  }

  std::vector<Urb> urbs;
  test::HandMadeSession session;
};

const std::vector<std::byte> kDescriptor = test::bytes({18, 1, 0, 2, 0, 0, 0, 64});

}  // namespace

TEST_CASE("a control request and its answer are the beginning and the end of one transfer") {
  Rig rig;
  rig.session.control_in(0x80, 6, 0x0100, 0, 18, kDescriptor);
  REQUIRE(rig.urbs.size() == 2);
  const Urb& begin = rig.urbs[0];
  CHECK(begin.event == Event::submit);
  CHECK(begin.setup == Setup{0x80, 6, 0, 1, 0, 0, 18, 0});
  CHECK(begin.endpoint == 0x80);
  CHECK(begin.length == 18);
  CHECK(begin.status == -115);
  CHECK(begin.data.empty());
  const Urb& end = rig.urbs[1];
  CHECK(end.event == Event::complete);
  CHECK(end.id == begin.id);
  CHECK(end.length == kDescriptor.size());
  CHECK(end.status == 0);
  CHECK(end.data == kDescriptor);
  CHECK_FALSE(end.setup);
}

TEST_CASE("settings are the control transfers that they are on the bus") {
  Rig rig;
  rig.session.set_configuration(1);
  rig.session.set_alt_setting(2, 3);
  const auto id = rig.session.next_id();
  rig.session.guest.send_get_configuration(id);
  rig.session.exchange();
  rig.session.host.send(id, usb_redir_configuration_status_header{usb_redir_success, 1});
  rig.session.exchange();
  REQUIRE(rig.urbs.size() == 6);
  CHECK(rig.urbs[0].setup == Setup{0, 9, 1, 0, 0, 0, 0, 0});
  CHECK(rig.urbs[1].data.empty());
  CHECK(rig.urbs[2].setup == Setup{1, 0x0b, 3, 0, 2, 0, 0, 0});
  CHECK(rig.urbs[4].setup == Setup{0x80, 8, 0, 0, 0, 0, 1, 0});
  CHECK(rig.urbs[5].data == test::bytes({1}));
  test::check_paired(rig.urbs);
}

TEST_CASE("bulk transfers keep their lengths beyond 64 KiB, and how they end") {
  Rig rig;
  std::vector<std::byte> data(100'000, std::byte{7});
  rig.session.guest.send(1, rig.bulk(0x02, data.size()), data);
  rig.session.exchange();
  rig.session.host.send(1, rig.bulk(0x02, data.size()));
  rig.session.exchange();
  rig.session.guest.send(2, rig.bulk(0x81, data.size()));
  rig.session.exchange();
  data.resize(70'000);
  rig.session.host.send(2, rig.bulk(0x81, data.size()), data);
  rig.session.exchange();
  rig.session.guest.send(3, rig.bulk(0x81, 512));
  rig.session.exchange();
  rig.session.host.send(3, rig.bulk(0x81, 0, usb_redir_stall));
  rig.session.exchange();
  REQUIRE(rig.urbs.size() == 6);
  CHECK(rig.urbs[0].data.size() == 100'000);
  CHECK(rig.urbs[1].id == 1);
  CHECK(rig.urbs[1].length == 100'000);
  CHECK(rig.urbs[1].data.empty());
  CHECK(rig.urbs[2].length == 100'000);
  CHECK(rig.urbs[3].length == 70'000);
  CHECK(rig.urbs[3].data == data);
  CHECK(rig.urbs[5].status == -32);
  test::check_paired(rig.urbs);
}

TEST_CASE("no more of the data is kept than was asked for, and control transfers are whole") {
  Rig rig({.keep = 4});
  rig.session.control_in(0x80, 6, 0x0100, 0, 18, kDescriptor);
  const std::vector<std::byte> data(31, std::byte{7});
  rig.session.guest.send(9, rig.bulk(0x02, data.size()), data);
  rig.session.exchange();
  REQUIRE(rig.urbs.size() == 3);
  CHECK(rig.urbs[1].data == kDescriptor);
  CHECK(rig.urbs[2].data.size() == 4);
  CHECK(rig.urbs[2].whole == 31);
  CHECK(rig.urbs[2].length == 31);
}

TEST_CASE("an interrupt endpoint has a transfer in flight from its start to its stop") {
  Rig rig;
  test::play_keyboard(rig.session);
  test::check_paired(rig.urbs);
  std::vector<Urb> keys;
  std::copy_if(rig.urbs.begin(), rig.urbs.end(), std::back_inserter(keys),
               [](const Urb& urb) { return urb.type == TransferType::interrupt; });
  REQUIRE(keys.size() == 10);  // five begun: four with keys, one cancelled
  CHECK(keys[0].event == Event::submit);
  CHECK(keys[0].length == 8);
  CHECK(keys[1].event == Event::complete);
  CHECK(keys[1].id == keys[0].id);
  CHECK(keys[1].data == test::bytes({0, 0, 4, 0, 0, 0, 0, 0}));
  CHECK(keys[9].status == -2);
}

TEST_CASE("isochronous packets are put together as the guest asked for them, with their places and lengths") {
  Rig rig;
  test::play_camera(rig.session);
  test::check_paired(rig.urbs);
  std::vector<Urb> begun;
  std::vector<Urb> ended;
  for (const Urb& urb : rig.urbs) {
    if (urb.type == TransferType::iso) (urb.event == Event::submit ? begun : ended).push_back(urb);
  }
  REQUIRE(ended.size() == 6);  // 60 packets by 16: three whole, one of 12, and two more that were in flight
  CHECK(begun[0].packets.size() == 16);
  CHECK(begun[0].length == 16 * 1024);
  const Urb& first = ended[0];
  REQUIRE(first.packets.size() == 16);
  CHECK(first.packets[1].offset == 800);
  CHECK(first.packets[1].length == 801);
  CHECK(first.packets[3].length == 2);
  CHECK(first.data.size() == first.length);
  CHECK(first.data[800] == std::byte{2});
  CHECK(ended[3].packets.size() == 12);
  CHECK(ended[3].status == -2);
  CHECK(ended[5].packets.empty());
}

TEST_CASE("it does not matter how the bytes are cut") {
  for (const std::size_t cut : {1U, 7U, 4096U}) {
    Rig whole;
    Rig pieces({.cut = cut});
    test::play_camera(whole.session);
    test::play_camera(pieces.session);
    REQUIRE(pieces.urbs.size() == whole.urbs.size());
    for (std::size_t i = 0; i < whole.urbs.size(); ++i) {
      CHECK(pieces.urbs[i].id == whole.urbs[i].id);
      CHECK(pieces.urbs[i].data == whole.urbs[i].data);
    }
  }
}

TEST_CASE("short ids and short lengths are read as both hellos have them") {
  Rig rig({.capabilities = {usb_redir_cap_ep_info_max_packet_size}});
  const std::vector<std::byte> data(300, std::byte{1});
  rig.session.guest.send(5, rig.bulk(0x02, data.size()), data);
  rig.session.exchange();
  rig.session.host.send(5, rig.bulk(0x02, data.size()));
  rig.session.exchange();
  REQUIRE(rig.urbs.size() == 2);
  CHECK(rig.urbs[0].id == 5);
  CHECK(rig.urbs[0].data == data);
  CHECK(rig.urbs[1].length == 300);
}

TEST_CASE("what is no transfer is the comment of the next one") {
  Rig rig;
  rig.session.plug_in(usbredir::Speed::high, test::bytes({9, 2, 9, 0, 0, 1, 0, 0x80, 50}));
  rig.session.guest.send_reset();
  rig.session.exchange();
  rig.session.set_configuration(1);
  REQUIRE(rig.urbs.size() == 2);
  CHECK(testing::contains(rig.urbs[0].comment, "plugged in at high speed"));
  CHECK(testing::contains(rig.urbs[0].comment, "resets the device"));
  CHECK(rig.urbs[1].comment.empty());
}

TEST_CASE("what is under way when the session ends, ends too") {
  Rig rig;
  rig.session.guest.send(1, rig.bulk(0x81, 512));
  rig.session.guest.send(2, rig.bulk(0x81, 512));
  rig.session.exchange();
  rig.session.translator.end();
  test::check_paired(rig.urbs);
  REQUIRE(rig.urbs.size() == 4);
  CHECK(rig.urbs[3].status == -108);
}

TEST_CASE("a packet that is too short for its type ends the reading of its direction") {
  Rig rig;
  const auto broken = test::bytes({101, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3});
  rig.session.translator.from_guest(broken);
  rig.session.translator.from_guest(broken);
  CHECK(rig.urbs.empty());
}
