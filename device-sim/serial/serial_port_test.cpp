#include "device-sim/serial/serial_port.h"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <set>
#include <string>

#include "common/test_text.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/kinds.h"
#include "device-sim/serial/echo.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using device_sim::test::Reply;
using usbloop::testing::contains;

namespace {

constexpr std::uint8_t kToHost = 0xa1, kToPort = 0x21;

struct SerialRig {
  explicit SerialRig(usbredir::Speed speed = usbredir::Speed::full) {
    SerialPortOptions options;
    options.speed = speed;
    auto made = std::make_unique<SerialPort>(options, std::make_unique<Echo>());
    port = made.get();
    rig = std::make_unique<DeviceRig>(std::move(made));
    rig->configure();
  }

  std::vector<Reply> write(std::span<const std::byte> data) { return rig->bulk_out(SerialPort::kOut, data); }
  std::vector<Reply> ask(std::size_t size) { return rig->bulk_in(SerialPort::kIn, size); }

  Reply set_lines(std::uint16_t lines) { return rig->control_out(kToPort, 0x22, lines, 0); }

  SerialPort* port = nullptr;
  std::unique_ptr<DeviceRig> rig;
};

std::vector<std::byte> octets(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> octets(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace

namespace {

/// A far end that hangs up.
struct Leaving final : FarEnd {
  explicit Leaving(bool& there) : there_(there) {}
  OutReply put(std::span<const std::byte> data) override { return OutReply::taken(data.size()); }
  std::size_t take(std::span<std::byte>) override { return 0; }
  [[nodiscard]] bool empty() const override { return true; }
  void clear() override {}
  [[nodiscard]] bool is_there() const override { return there_; }
  bool& there_;
};

}  // namespace

TEST_CASE("a guest is told when the other end of its line hangs up") {
  bool there = true;
  DeviceRig rig(std::make_unique<SerialPort>(SerialPortOptions{}, std::make_unique<Leaving>(there)));
  rig.configure();
  rig.start_receiving(SerialPort::kNotify);
  rig.control_out(kToPort, 0x22, 3, 0);  // DTR, RTS
  auto told = rig.interrupts();
  REQUIRE_FALSE(told.empty());
  CHECK(told.back().data.at(8) == std::byte{3});
  there = false;
  rig.host->serve_waiting();
  told = rig.interrupts();
  REQUIRE(told.size() == 1);
  CHECK(told.back().data.at(8) == std::byte{0});
}

TEST_CASE("a serial port shows both its interfaces, at full and at high speed") {
  for (const auto speed : {usbredir::Speed::full, usbredir::Speed::high}) {
    SerialRig serial(speed);
    const auto& guest = serial.rig->guest;
    const bool is_high = speed == usbredir::Speed::high;
    CHECK(int{guest.connect.speed} == static_cast<int>(speed));
    CHECK(int{guest.connect.device_class} == 2);
    CHECK(std::uint32_t{guest.interfaces.interface_count} == 2);
    CHECK(int{guest.interfaces.interface_class[0]} == 2);
    CHECK(int{guest.interfaces.interface_class[1]} == 10);
    CHECK(int{guest.endpoints.type[16 + 3]} == usb_redir_type_interrupt);
    CHECK(int{guest.endpoints.interval[16 + 3]} == (is_high ? 8 : 16));
    CHECK(guest.endpoints.max_packet_size[16 + 1] == (is_high ? 512 : 64));
    CHECK(int{guest.endpoints.type[2]} == usb_redir_type_bulk);
    const Reply qualifier = serial.rig->control_in(0x80, 6, 0x0600, 0, 10);
    CHECK(int{qualifier.status} == (is_high ? usb_redir_success : usb_redir_stall));
  }
}

TEST_CASE("what is written comes back in its order, however it is asked for") {
  SerialRig serial;
  CHECK(serial.ask(4).empty());  // waits for data
  const auto replies = serial.write(octets("hello world"));
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].length == 11);
  CHECK(replies[1].data == octets("hell"));
  CHECK(serial.ask(5).at(0).data == octets("o wor"));
  CHECK(serial.ask(100).at(0).data == octets("ld"));
  CHECK(serial.ask(100).empty());
  CHECK(serial.write(octets("!")).back().data == octets("!"));
}

TEST_CASE("a guest that does not read has its writes wait, and nothing is lost") {
  SerialRig serial;
  std::mt19937 random(20);
  std::vector<std::byte> sent(3 * Echo::kMostWaiting + 77);
  for (auto& byte : sent) byte = static_cast<std::byte>(random());
  std::size_t answered = 0;
  for (std::size_t at = 0; at < sent.size(); at += 1000)
    answered += serial.write(std::span(sent).subspan(at, std::min<std::size_t>(1000, sent.size() - at))).size();
  CHECK(answered == Echo::kMostWaiting / 1000);
  std::vector<std::byte> read;
  while (read.size() < sent.size()) {
    const std::size_t before = read.size();
    for (const Reply& reply : serial.ask(1 + random() % 3000)) {
      CHECK(int{reply.status} == usb_redir_success);
      read.insert(read.end(), reply.data.begin(), reply.data.end());
      if (reply.data.empty()) ++answered;
    }
    REQUIRE(read.size() > before);
  }
  CHECK(read == sent);
  CHECK(answered == (sent.size() + 999) / 1000);
}

TEST_CASE("one write may be longer than all that may wait") {
  SerialRig serial;
  const std::vector<std::byte> sent(Echo::kMostWaiting * 2, std::byte{'x'});
  CHECK(serial.write(sent).size() == 1);
  CHECK(serial.write(octets("y")).empty());
  CHECK(serial.ask(sent.size() + 10).size() == 2);
}

TEST_CASE("line coding and lines are as the guest has set them, and the carrier follows DTR") {
  SerialRig serial;
  DeviceRig& rig = *serial.rig;
  CHECK(rig.control_in(kToHost, 0x21, 0, 0, 7).data == octets({0x80, 0x25, 0, 0, 0, 0, 8}));
  CHECK(int{rig.control_out(kToPort, 0x20, 0, 0, octets({0x00, 0xc2, 0x01, 0, 2, 1, 7})).status} == usb_redir_success);
  CHECK(serial.port->coding().rate == 115200);
  CHECK(rig.control_in(kToHost, 0x21, 0, 0, 7).data == octets({0x00, 0xc2, 0x01, 0, 2, 1, 7}));
  CHECK(int{rig.control_out(kToPort, 0x23, 0xffff, 0).status} == usb_redir_success);  // a break
  rig.start_receiving(SerialPort::kNotify);
  const auto state = [](int carrier) { return octets({0xa1, 0x20, 0, 0, 0, 0, 2, 0, carrier, 0}); };
  const auto first = rig.interrupts();
  REQUIRE(first.size() == 1);
  CHECK(first[0].data == state(0));
  CHECK(int{serial.set_lines(3).status} == usb_redir_success);
  CHECK(int{serial.port->lines()} == 3);
  const auto raised = rig.interrupts();
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].id == 1);
  CHECK(raised[0].data == state(3));
  serial.set_lines(1);
  CHECK(rig.interrupts().empty());
  serial.write(octets("old"));
  serial.set_lines(0);
  CHECK(rig.interrupts().at(0).data == state(0));
  rig.guest.replies.clear();
  CHECK(serial.ask(10).empty());  // what was not read is gone with the line
}

TEST_CASE("requests that a serial port does not know, and codings that are none, are stalled") {
  SerialRig serial;
  DeviceRig& rig = *serial.rig;
  const auto refused = [&](const Reply& reply) { CHECK(int{reply.status} == usb_redir_stall); };
  refused(rig.control_out(kToPort, 0x20, 0, 0));
  refused(rig.control_out(kToPort, 0x20, 0, 0, octets({0, 1, 0, 0, 0, 0})));
  refused(rig.control_out(kToPort, 0x20, 0, 0, octets({0, 1, 0, 0, 0, 0, 8, 0})));
  refused(rig.control_out(kToPort, 0x20, 0, 0, octets({0, 0, 0, 0, 0, 0, 8})));  // no bit in a second
  refused(rig.control_out(kToPort, 0x20, 0, 0, octets({0, 1, 0, 0, 3, 0, 8})));
  refused(rig.control_out(kToPort, 0x20, 0, 0, octets({0, 1, 0, 0, 0, 5, 8})));
  refused(rig.control_out(kToPort, 0x20, 0, 0, octets({0, 1, 0, 0, 0, 0, 9})));
  refused(rig.control_out(kToPort, 0x20, 0, 1, octets({0, 1, 0, 0, 0, 0, 8})));
  refused(serial.set_lines(4));
  refused(rig.control_out(kToPort, 0x00, 0, 0, octets("AT")));  // an encapsulated command
  refused(rig.control_in(kToHost, 0x01, 0, 0, 8));
  CHECK(serial.port->coding().rate == 9600);
  CHECK(int{serial.port->lines()} == 0);
}

TEST_CASE("a guest that cancels and resets at any moment has each answer once, and a port that echoes") {
  SerialRig serial;
  DeviceRig& rig = *serial.rig;
  std::mt19937 random(21);
  std::set<std::uint64_t> open;  // requests that have no answer yet
  for (int round = 0; round < 5000; ++round) {
    const auto what = static_cast<unsigned>(random() % 100);
    if (what < 10) {
      rig.guest.parser.send_cancel_data_packet(rig.id - random() % 20);
    } else if (what < 11) {
      rig.configure();
      open.clear();  // a reset ends all without a word
    } else if (what < 20) {
      open.insert(rig.id + 1);
      serial.set_lines(static_cast<std::uint16_t>(random() % 5));
    } else if (what < 25) {
      rig.guest.parser.send(9, usb_redir_set_alt_setting_header{static_cast<std::uint8_t>(random() % 3), 0});
    } else if (what < 60) {
      open.insert(++rig.id);
      rig.guest.parser.send(rig.id, DeviceRig::bulk(SerialPort::kIn, random() % 2000));
    } else {
      const std::vector<std::byte> data(random() % 2000);
      open.insert(++rig.id);
      rig.guest.parser.send(rig.id, DeviceRig::bulk(SerialPort::kOut, data.size()), data);
    }
    for (const Reply& reply : serial.rig->answers()) {
      if (reply.id != 9) REQUIRE(open.erase(reply.id) == 1);
    }
  }
  rig.configure();
  serial.ask(10);
  CHECK(serial.write(octets("still")).back().data == octets("still"));
}

TEST_CASE("a serial port is described in words") {
  const auto plain = make_host_end("serial");
  REQUIRE(plain);
  CHECK((*plain)->device().id() == "2341:0043");
  CHECK((*plain)->device().speed == usbredir::Speed::full);
  const auto given = make_host_end("serial,speed=high,serial=S1,id=1:2");
  REQUIRE(given);
  CHECK((*given)->device().serial == "S1");
  CHECK((*given)->device().speed == usbredir::Speed::high);
  const auto slow = make_host_end("serial,speed=low");
  REQUIRE_FALSE(slow);
  CHECK(contains(slow.error().message(), "speed=low is not a speed of this device"));
  CHECK(contains(slow.error().hint, "full (12 Mbit/s) or high (480)"));
}
