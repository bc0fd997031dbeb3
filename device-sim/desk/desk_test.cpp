#include "device-sim/desk/desk.h"

#include <doctest/doctest.h>

#include "common/test_text.h"
#include "device-sim/desk/protocol.h"
#include "device-sim/desk/test_support.h"
#include "device-sim/emulation/guest_double.h"

using namespace usbloop;
using namespace usbloop::desk;
using usbloop::testing::contains;

namespace {

std::unique_ptr<Desk> desk_with(const std::string& devices) {
  auto entries = parse_desk("devices:\n" + devices, "desk.yaml");
  REQUIRE_MESSAGE(entries, entries.error().message());
  auto desk = Desk::make("desk.yaml", std::move(*entries));
  REQUIRE_MESSAGE(desk, desk.error().message());
  return std::move(*desk);
}

const Holder kSomebody{"somebody", 4711, 1};

}  // namespace

TEST_CASE("a device of a desk is one redirection's at a time, and outlives it") {
  const auto desk = desk_with("- {kind: serial, serial: A}\n- {kind: mouse, plugged: false}\n");
  auto loan = desk->lend("serial", kSomebody);
  REQUIRE(loan);
  const auto second = desk->lend("serial", kSomebody);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::conflict);
  CHECK(contains(second.error().message(), "somebody (process 4711) has it"));
  CHECK(desk->list().front().holder->process == 4711);
  loan->reset();
  CHECK_FALSE(desk->is_lent("serial"));
  CHECK(desk->lend("serial", kSomebody));
  CHECK(desk->list().front().counters.redirections == 2);

  CHECK(desk->lend("mouse", kSomebody).error().kind == ErrorKind::not_found);  // not plugged in
  CHECK(desk->lend("tablet", kSomebody).error().kind == ErrorKind::not_found);
}

TEST_CASE("who has a device that is pulled out loses it at once") {
  const auto desk = desk_with("- kind: serial\n");
  device_sim::test::Guest guest;
  auto loan = desk->lend("serial", kSomebody);
  REQUIRE(loan);
  device_sim::test::exchange((*loan)->host(), guest);
  guest.parser.send_reset();
  device_sim::test::exchange((*loan)->host(), guest);
  CHECK(guest.events.back() == "connect");
  CHECK(desk->unplug("serial"));
  CHECK((*loan)->host().state() == usbredir::HostState::device_gone);
  device_sim::test::exchange((*loan)->host(), guest);
  CHECK(guest.events.back() == "disconnect");
  CHECK(desk->unplug("serial").error().kind == ErrorKind::conflict);
  loan->reset();
  CHECK(desk->plug("serial"));
  CHECK(desk->plug("serial").error().kind == ErrorKind::conflict);
  CHECK(desk->list().front().arrivals == 2);
  CHECK(desk->list().front().counters.resets >= 1);
}

TEST_CASE("a text that is typed on the desk reaches the guest as keys, behind what was typed before") {
  const auto desk = desk_with("- {kind: keyboard, delay: 0}\n");
  device_sim::test::Guest guest;
  auto loan = desk->lend("keyboard", kSomebody);
  REQUIRE(loan);
  auto& host = (*loan)->host();
  device_sim::test::exchange(host, guest);
  guest.parser.send(1, usb_redir_set_configuration_header{1});
  guest.parser.send(2, usb_redir_start_interrupt_receiving_header{0x81});
  device_sim::test::exchange(host, guest);
  const auto typed = [&] {
    std::string usages;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (guest.interrupts.size() < 4 && std::chrono::steady_clock::now() < until) {
      host.look();
      device_sim::test::exchange(host, guest);
    }
    for (const auto& report : guest.interrupts) usages += std::to_string(std::to_integer<int>(report.data.at(2))) + " ";
    guest.interrupts.clear();
    return usages;
  };
  CHECK(desk->act("keyboard", "type", "ab"));
  CHECK(typed() == "4 0 5 0 ");
  CHECK(desk->act("keyboard", "type", "c\\n"));
  CHECK(typed() == "6 0 40 0 ");
  CHECK(desk->act("keyboard", "press", "f1"));
  CHECK(typed() == "58 0 ");
  CHECK(contains(desk->act("keyboard", "press", "mute").error().hint, "Add media"));
  CHECK(desk->act("keyboard", "type", "\\q").error().kind == ErrorKind::invalid);
  CHECK(desk->act("keyboard", "do", "click:left").error().kind == ErrorKind::invalid);
  const std::string much(64 * 1024, 'x');
  CHECK(desk->act("keyboard", "type", much));
  CHECK(desk->act("keyboard", "type", "y").error().kind == ErrorKind::conflict);
}

TEST_CASE("a medium is taken out of a stick on the desk and put back, and other devices have none") {
  const auto desk = desk_with("- {kind: stick, image: disk.img, size: 1M}\n- kind: serial\n");
  CHECK(desk->act("stick", "eject", ""));
  CHECK(desk->act("stick", "load", ""));
  CHECK(desk->act("serial", "eject", "").error().kind == ErrorKind::invalid);
}

TEST_CASE("faults are given to a device of a desk while it runs, and one that pulls it out leaves it unplugged") {
  const auto desk = desk_with("- kind: serial\n");
  CHECK(desk->act("serial", "fault", "dance").error().kind == ErrorKind::invalid);
  CHECK(desk->act("serial", "fault", "medium-error:block=1").error().kind == ErrorKind::invalid);
  device_sim::test::Guest guest;
  auto loan = desk->lend("serial", kSomebody);
  REQUIRE(loan);
  auto& host = (*loan)->host();
  device_sim::test::exchange(host, guest);
  guest.parser.send(1, usb_redir_set_configuration_header{1});
  device_sim::test::exchange(host, guest);
  const auto status_of_write = [&] {
    guest.replies.clear();
    guest.parser.send(2, usb_redir_bulk_packet_header{0x02, 0, 1, 0, 0}, std::vector<std::byte>(1));
    device_sim::test::exchange(host, guest);
    REQUIRE(guest.replies.size() == 1);
    return int{guest.replies.front().status};
  };
  CHECK(desk->act("serial", "fault", "error:times=100"));
  CHECK(status_of_write() == usb_redir_ioerror);
  CHECK(desk->act("serial", "repair", ""));
  CHECK(status_of_write() == usb_redir_success);
  CHECK(desk->act("serial", "fault", "unplug"));
  guest.parser.send(3, usb_redir_bulk_packet_header{0x02, 0, 1, 0, 0}, std::vector<std::byte>(1));
  device_sim::test::exchange(host, guest);
  CHECK(host.state() == usbredir::HostState::device_gone);
  loan->reset();
  CHECK_FALSE(desk->list().front().plugged);
  CHECK(desk->plug("serial"));
  CHECK(desk->lend("serial", kSomebody));
}

TEST_CASE("a mouse of a desk does what it is told, when its guest listens") {
  const auto desk = desk_with("- {kind: mouse, delay: 0}\n");
  CHECK(desk->act("mouse", "do", "move:3:4 click:left"));  // before anybody has it
  device_sim::test::Guest guest;
  auto loan = desk->lend("mouse", kSomebody);
  REQUIRE(loan);
  auto& host = (*loan)->host();
  device_sim::test::exchange(host, guest);
  guest.parser.send(1, usb_redir_set_configuration_header{1});
  guest.parser.send(2, usb_redir_start_interrupt_receiving_header{0x81});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (guest.interrupts.size() < 3 && std::chrono::steady_clock::now() < until) {
    device_sim::test::exchange(host, guest);
    host.look();
  }
  REQUIRE(guest.interrupts.size() == 3);
  const auto report = [&](std::size_t index) { return guest.interrupts[index].data; };
  CHECK(report(0) == std::vector<std::byte>{std::byte{0}, std::byte{3}, std::byte{4}, std::byte{0}});
  CHECK(report(1).at(0) == std::byte{1});
  CHECK(report(2).at(0) == std::byte{0});
  CHECK(desk->act("mouse", "do", "fly").error().kind == ErrorKind::invalid);
  std::string long_way;
  for (int count = 0; count < 100; ++count) long_way += "move:32767:0 move:-32767:0 ";
  CHECK(desk->act("mouse", "do", long_way));
  CHECK(desk->act("mouse", "do", long_way).error().kind == ErrorKind::conflict);
}

TEST_CASE("another image makes another medium of the same device, and a bad one changes nothing") {
  const DeskDir dir;
  dir.write("one.img", std::string(1024, '1'));
  dir.write("two.img", std::string(2048, '2'));
  dir.write("odd.img", "odd");
  const auto desk = desk_with("- {kind: stick, image: " + dir.file("one.img") + "}\n- kind: mouse\n");
  const auto serial = desk->list().front().description.serial;
  CHECK(desk->attach("stick", dir.file("odd.img")).error().kind == ErrorKind::invalid);
  CHECK(desk->try_image("stick", dir.file("none.img")).error().kind == ErrorKind::not_found);
  CHECK(desk->attach("mouse", dir.file("two.img")).error().kind == ErrorKind::invalid);
  {
    const auto loan = desk->lend("stick", kSomebody);
    REQUIRE(loan);
    CHECK(desk->try_image("stick", dir.file("two.img")));
    CHECK(desk->attach("stick", dir.file("two.img")).error().kind == ErrorKind::conflict);
  }
  CHECK(desk->attach("stick", dir.file("two.img")));
  CHECK(desk->list().front().description.serial == serial);
  CHECK(desk->attach("stick", dir.file("one.img")));  // it is not in use any more
}

TEST_CASE("those who watch a desk hear of each change") {
  const auto desk = desk_with("- kind: mouse\n");
  int changes = 0;
  {
    const Desk::Watch watch(*desk, [&changes] { ++changes; });
    CHECK(desk->unplug("mouse"));
    CHECK(desk->plug("mouse"));
    const auto loan = desk->lend("mouse", kSomebody);
    REQUIRE(loan);
  }
  CHECK(changes == 4);  // the end of the loan too
  CHECK(desk->unplug("mouse"));
  CHECK(changes == 4);
}

TEST_CASE("what is said at the socket keeps its meaning on the way") {
  const auto desk = desk_with("- {kind: camera, name: eye, label: Eye}\n");
  const auto here = desk->list().front();
  const auto there = device_info_from(nlohmann::json::parse(to_json(here).dump()));
  REQUIRE(there);
  CHECK(to_json(*there).dump() == to_json(here).dump());
  CHECK(there->place.port_path() == "1-1");
  CHECK(there->interfaces.at(0)[0] == 0x0e);

  const Request asked{Request::What::act, "eye", "type", "a\"\\\n\xc3\xa4", "me"};
  const auto heard = parse_request(request_line(asked));
  REQUIRE(heard);
  CHECK(heard->what == asked.what);
  CHECK(heard->text == asked.text);
  CHECK(heard->verb == asked.verb);
  CHECK(heard->device == asked.device);
  CHECK(heard->program == asked.program);
  for (const char* text : {"", "{}", "[]", "{\"do\": 1}", "{\"do\": \"dance\"}", "{\"do\": \"plug\", \"device\": {}}",
                           "{\"do\": \"plug\", \"device\": \"a\\u0000b\"}"}) {
    CHECK_MESSAGE(!parse_request(text), text);
  }
  const Error error{ErrorKind::denied, "do", "it", "why", "help"};
  CHECK(error_from(nlohmann::json::parse(to_json(error).dump())).message() == error.message());
  CHECK(error_from(nlohmann::json::parse(to_json(error).dump())).kind == ErrorKind::denied);
}

TEST_CASE("a device of a desk is found by its name, its ids, its place, its port and its serial number") {
  const auto desk = desk_with(
      "- {kind: serial, name: one, bus: 1, address: 3, port: 1.4, serial: ABC}\n"
      "- {kind: serial, name: two, bus: 1, address: 10, plugged: false}\n- {kind: mouse, bus: 2, address: 8}\n");
  const auto name_of = [&](const std::string& text, bool unplugged_too = false) {
    const auto found = choose_on_desk(desk->list(), text, unplugged_too);
    return found ? found->name : found.error().message();
  };
  for (const char* text : {"one", "1-3", "01-03", "001:003", "1-1.4", "port=1-1.4", "serial=ABC", "2341:0043"}) {
    CHECK_MESSAGE(name_of(text) == "one", text);
  }
  CHECK(name_of("046d:c077") == "mouse");
  CHECK(contains(name_of("two"), "none such plugged in"));
  CHECK(name_of("two", true) == "two");
  CHECK(name_of("01-10", true) == "two");
  CHECK(contains(name_of("2341:0043", true), "2 of them"));
  CHECK(contains(name_of("nothing"), "none such"));
}
