#include "device-sim/serial/ftdi_adapter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "common/test_text.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/kinds.h"
#include "device-sim/serial/echo.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::Reply;
using usbloop::testing::contains;

namespace {

std::vector<int> capabilities_of(bool buffered) {
  std::vector<int> capabilities = usbredir::kUsualCapabilities;
  if (buffered) capabilities.push_back(usb_redir_cap_bulk_receiving);
  return capabilities;
}

struct FtdiRig : device_sim::test::DeviceRig {
  explicit FtdiRig(bool buffered) : DeviceRig(capabilities_of(buffered)) {
    auto made = std::make_unique<FtdiAdapter>(FtdiAdapterOptions{}, std::make_unique<Echo>());
    adapter = made.get();
    plug(std::move(made));
    configure();
  }

  /// The status of a request, which may give data that wait an answer too.
  int vendor(std::uint8_t request, std::uint16_t value, std::uint16_t index = 0) {
    guest.parser.send(++id, usb_redir_control_packet_header{0, request, 0x40, 0, value, index, 0});
    return status();
  }

  void write(std::span<const std::byte> data) {
    guest.parser.send(
        ++id, usb_redir_bulk_packet_header{FtdiAdapter::kOut, 0, static_cast<std::uint16_t>(data.size()), 0, 0}, data);
    exchange();
  }

  void ask(std::uint16_t size) {
    guest.parser.send(++id, usb_redir_bulk_packet_header{FtdiAdapter::kIn, 0, size, 0, 0});
    exchange();
  }

  int receive(std::uint32_t bytes, std::uint8_t endpoint = FtdiAdapter::kIn, std::uint32_t stream = 0) {
    guest.parser.send(++id, usb_redir_start_bulk_receiving_header{stream, bytes, endpoint, 5});
    return status();
  }

  /// Of what was sent last.
  int status() {
    exchange();
    const auto own =
        std::find_if(guest.replies.begin(), guest.replies.end(), [&](const Reply& r) { return r.id == id; });
    REQUIRE(own != guest.replies.end());
    return own->status;
  }

  FtdiAdapter* adapter = nullptr;
};

std::vector<std::byte> noise_of(std::size_t size) {
  std::mt19937 random(4);
  std::vector<std::byte> data(size);
  for (std::byte& byte : data) byte = static_cast<std::byte>(random());
  return data;
}

/// What is behind the states of a transfer's packets.
void take_payload(std::span<const std::byte> transfer, std::vector<std::byte>& into) {
  while (!transfer.empty()) {
    const auto packet = transfer.first(std::min(transfer.size(), FtdiAdapter::kPacket));
    REQUIRE(packet.size() >= FtdiAdapter::kState);
    CHECK(packet[0] == std::byte{0xb1});
    CHECK(packet[1] == std::byte{0x60});
    into.insert(into.end(), packet.begin() + FtdiAdapter::kState, packet.end());
    transfer = transfer.subspan(packet.size());
  }
}

constexpr std::uint16_t kBothLines = 0x0303;

}  // namespace

TEST_CASE("the adapter sends back what it gets, packet by packet with the state in front, by plain bulk") {
  FtdiRig rig(false);
  CHECK(int{rig.guest.connect.device_version_bcd} == 0x0600);
  REQUIRE(rig.vendor(1, kBothLines) == usb_redir_success);
  const auto sent = noise_of(3000);
  std::vector<std::byte> back;
  rig.write(sent);
  rig.guest.replies.clear();
  while (back.size() < sent.size()) {
    rig.ask(512);
    REQUIRE(rig.guest.replies.size() == 1);
    take_payload(rig.guest.replies.front().data, back);
    rig.guest.replies.clear();
  }
  CHECK(back == sent);
  rig.ask(512);
  CHECK(rig.guest.replies.empty());
  REQUIRE(rig.vendor(1, 0x0100) == usb_redir_success);  // hangs up: DSR and DCD go, and the guest is told
  const auto told = std::find_if(rig.guest.replies.begin(), rig.guest.replies.end(),
                                 [](const Reply& reply) { return reply.data.size() == 2; });
  REQUIRE(told != rig.guest.replies.end());
  CHECK(told->data == std::vector{std::byte{0x11}, std::byte{0x60}});
}

TEST_CASE("with buffered bulk the echo comes by itself until the guest stops it") {
  FtdiRig rig(true);
  REQUIRE(rig.vendor(1, kBothLines) == usb_redir_success);
  REQUIRE(rig.receive(512) == usb_redir_success);
  const auto sent = noise_of(200'000);
  std::vector<std::byte> back;
  for (std::size_t at = 0; at < sent.size(); at += 4000) rig.write(std::span(sent).subspan(at, 4000));
  std::uint64_t next = 0;
  for (const Reply& packet : rig.guest.buffered) {
    CHECK(packet.id == next++);
    CHECK(packet.length == packet.data.size());
    CHECK(packet.data.size() <= 512);
    take_payload(packet.data, back);
  }
  CHECK(back == sent);
  rig.guest.buffered.clear();
  rig.guest.parser.send(++rig.id, usb_redir_stop_bulk_receiving_header{0, FtdiAdapter::kIn});
  CHECK(int{rig.reply().status} == usb_redir_success);
  rig.write(noise_of(100));
  CHECK(rig.guest.buffered.empty());
  REQUIRE(rig.receive(64) == usb_redir_success);
  CHECK(rig.guest.buffered.size() == 2);  // 62 bytes and 38
}

TEST_CASE("buffered bulk is refused where it makes no sense, and ends with a reset") {
  FtdiRig rig(true);
  CHECK(rig.receive(0) == usb_redir_inval);
  CHECK(rig.receive(64 << 20) == usb_redir_inval);  // more than a packet may have
  CHECK(rig.receive(512, 0x83) == usb_redir_inval);
  CHECK(rig.receive(512, FtdiAdapter::kIn, 1) == usb_redir_inval);
  REQUIRE(rig.receive(512) == usb_redir_success);
  rig.guest.parser.send_reset();
  rig.configure();
  rig.guest.buffered.clear();
  rig.write(noise_of(10));
  CHECK(rig.guest.buffered.empty());
  // Devices that are no such adapters do not offer it at all.
  const auto other = make_host_end("serial");
  REQUIRE(other);
  device_sim::test::Guest guest(capabilities_of(true));
  device_sim::test::exchange(**other, guest);
  CHECK_FALSE(guest.parser.peer_has(usb_redir_cap_bulk_receiving));
  CHECK(rig.guest.parser.peer_has(usb_redir_cap_bulk_receiving));
}

TEST_CASE("a guest that does not read has its writes wait, and a purge forgets what it has not read") {
  FtdiRig rig(false);
  REQUIRE(rig.vendor(1, kBothLines) == usb_redir_success);
  rig.guest.replies.clear();
  const auto part = noise_of(16384);
  for (int i = 0; i < 6; ++i) rig.write(part);
  CHECK(rig.guest.replies.size() == 4);
  REQUIRE(rig.vendor(0, 1) == usb_redir_success);
  CHECK(rig.guest.replies.size() == 7);  // the purge's answer, and the two writes that have place now
}

TEST_CASE("the rate is that of the divisor, and requests that it has not are stalled") {
  FtdiRig rig(false);
  struct Case {
    std::uint16_t value, index;
    std::uint32_t rate;
  };
  for (const Case& one : {Case{0x4138, 0, 9600}, Case{0x001a, 0, 115384}, Case{0, 0, 3000000}, Case{1, 0, 2000000},
                          Case{0x0002, 1, 1263157}}) {
    REQUIRE(rig.vendor(3, one.value, one.index) == usb_redir_success);
    CHECK(rig.adapter->rate() == one.rate);
  }
  CHECK(rig.control_in(0xc0, 0x0a, 0, 0, 1).data == std::vector{std::byte{16}});
  REQUIRE(rig.vendor(9, 1) == usb_redir_success);
  CHECK(rig.control_in(0xc0, 0x0a, 0, 0, 1).data == std::vector{std::byte{1}});
  CHECK(rig.control_in(0xc0, 0x05, 0, 0, 2).data == std::vector{std::byte{0x01}, std::byte{0x60}});
  CHECK(rig.control_in(0xc0, 0x90, 0, 10, 2).data == std::vector{std::byte{0xff}, std::byte{0xff}});
  for (const int request : {0x08, 0x0b, 0x0c, 0x91, 0x92, 0xff}) {
    CHECK(rig.vendor(static_cast<std::uint8_t>(request), 0) == usb_redir_stall);
  }
  CHECK(rig.vendor(0, 3) == usb_redir_stall);
  CHECK(rig.vendor(9, 0) == usb_redir_stall);
  CHECK(rig.vendor(9, 256) == usb_redir_stall);
  CHECK(int{rig.control_in(0xc0, 0x0c, 0, 0, 1).status} == usb_redir_stall);
  CHECK(int{rig.control_out(0x21, 1, kBothLines, 0).status} == usb_redir_stall);
}

TEST_CASE("an adapter in words: ids and serial number, and no speed to choose") {
  const auto usual = make_host_end("ftdi");
  REQUIRE(usual);
  CHECK((*usual)->device().label() == "0403:6001 \"FTDI FT232R USB UART\" (emulated serial adapter)");
  const auto other = make_host_end("ftdi,id=1:2,serial=F1");
  REQUIRE(other);
  CHECK((*other)->device().id() == "0001:0002");
  CHECK((*other)->device().serial == "F1");
  CHECK(contains(make_host_end("ftdi,speed=high").error().cause, "no option 'speed'"));
  CHECK(contains(make_host_end("ftdi,serial=a b").error().cause, "126"));
}
