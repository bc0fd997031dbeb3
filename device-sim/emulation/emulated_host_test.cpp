#include "device-sim/emulation/emulated_host.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "device-sim/emulation/device_rig.h"
#include "device-sim/storage/stick.h"
#include "device-sim/storage/test_support.h"
#include "usbredir/test_support.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using device_sim::test::Reply;
using usbredir::HostState;
using usbredir::Speed;
using usbredir::test::drain;

namespace {

/// A stick and a guest with a cable between them.
struct Rig : DeviceRig {
  explicit Rig(Speed speed = Speed::high, std::vector<int> capabilities = usbredir::kUsualCapabilities)
      : DeviceRig(std::move(capabilities)) {
    auto memory = std::make_unique<test::MemoryStore>(4096);
    store = memory.get();
    StorageOptions options = Stick::defaults();
    options.speed = speed;
    options.serial = "SERIAL0001";
    plug(std::make_unique<Stick>(std::move(memory), options));
  }

  Reply descriptor(std::uint8_t type, std::uint8_t index, std::uint16_t length = 255) {
    return control_in(0x80, 6, static_cast<std::uint16_t>(type << 8 | index), 0, length);
  }

  static usb_redir_bulk_packet_header bulk(std::uint8_t endpoint, std::size_t size) {
    return {endpoint, 0, static_cast<std::uint16_t>(size), 0, static_cast<std::uint16_t>(size >> 16)};
  }

  Reply bulk_out(std::span<const std::byte> data) {
    guest.parser.send(++id, bulk(Stick::kEndpointOut, data.size()), data);
    return reply();
  }

  Reply bulk_in(std::size_t size) {
    guest.parser.send(++id, bulk(Stick::kEndpointIn, size));
    return reply();
  }

  int command_outcome() {
    const auto status = bulk_in(13);
    REQUIRE(status.status == usb_redir_success);
    REQUIRE(status.data.size() == 13);
    return std::to_integer<int>(status.data[12]);
  }

  test::MemoryStore* store = nullptr;
};

}  // namespace

TEST_CASE("a stick is announced after the guest's hello, endpoints first") {
  for (const auto speed : {Speed::full, Speed::high, Speed::super}) {
    Rig rig(speed);
    CHECK(rig.host->state() == HostState::waiting);
    CHECK(rig.host->pending().size() == 80);
    rig.exchange();
    CHECK(rig.host->state() == HostState::announced);
    CHECK(rig.guest.events == std::vector<std::string>{"ep_info", "interface_info", "connect"});
    CHECK(int{rig.guest.connect.speed} == static_cast<int>(speed));
    CHECK(int{rig.guest.connect.vendor_id} == 0x0951);
    CHECK(int{rig.guest.connect.product_id} == 0x1666);
    CHECK(std::uint32_t{rig.guest.interfaces.interface_count} == 1);
    CHECK(rig.guest.interfaces.interface_class[0] == 8);
    const int packet = speed == Speed::full ? 64 : speed == Speed::high ? 512 : 1024;
    CHECK(int{rig.guest.endpoints.max_packet_size[17]} == packet);
    CHECK(rig.guest.endpoints.type[2] == usb_redir_type_bulk);
    CHECK(rig.host->device().label() == "0951:1666 \"Kingston DataTraveler 3.0\" (emulated stick)");
  }
}

TEST_CASE("enumeration as a guest does it") {
  for (const auto speed : {Speed::full, Speed::high, Speed::super}) {
    Rig rig(speed);
    rig.configure();
    CHECK(rig.host->state() == HostState::in_use);
    const auto device = rig.descriptor(1, 0, 64);
    CHECK(device.status == usb_redir_success);
    REQUIRE(device.data.size() == 18);
    CHECK(std::to_integer<int>(device.data[7]) == (speed == Speed::super ? 9 : 64));
    CHECK(rig.descriptor(1, 0, 8).data.size() == 8);
    const auto configuration = rig.descriptor(2, 0);
    CHECK(configuration.data.size() == (speed == Speed::super ? 44 : 32));
    CHECK(usbredir::parse_configuration(configuration.data));
    CHECK(rig.descriptor(2, 1).status == usb_redir_stall);
    CHECK(rig.descriptor(3, 0).data == usbredir::test::bytes_of("\x04\x03\x09\x04"));
    const auto serial = rig.descriptor(3, 3).data;
    CHECK(serial.size() == 2 + 2 * 10);
    CHECK(serial[2] == std::byte{'S'});
    CHECK(rig.descriptor(3, 4).status == usb_redir_stall);
    CHECK((rig.descriptor(15, 0).status == usb_redir_success) == (speed == Speed::super));
    CHECK((rig.descriptor(6, 0).status == usb_redir_success) == (speed == Speed::high));
    CHECK((rig.descriptor(7, 0).status == usb_redir_success) == (speed == Speed::high));
    CHECK(rig.control_in(0xa1, 0xfe, 0, 0, 1).data.size() == 1);
  }
}

TEST_CASE("super speed has a BOS with its length right and a companion for each endpoint") {
  Rig rig(Speed::super);
  rig.configure();
  const auto bos = rig.descriptor(15, 0).data;
  REQUIRE(bos.size() == 22);
  CHECK(std::to_integer<int>(bos[2]) == 22);
  CHECK(std::to_integer<int>(bos[4]) == 2);
  const auto configuration = rig.descriptor(2, 0).data;
  CHECK(std::to_integer<int>(configuration[26]) == 48);
  CHECK(std::to_integer<int>(configuration[39]) == 48);
}

TEST_CASE("reading and writing blocks, a megabyte in one transfer") {
  Rig rig(Speed::super);
  rig.configure();
  constexpr std::size_t kSize = 1 << 20;
  CHECK(rig.bulk_out(test::command_wrapper(test::access_10(0x28, 16, 2048), kSize, true)).status == 0);
  const auto read = rig.bulk_in(kSize);
  CHECK(read.status == usb_redir_success);
  REQUIRE(read.data.size() == kSize);
  CHECK(std::equal(read.data.begin(), read.data.end(), rig.store->bytes.begin() + 16 * 512));
  CHECK(rig.command_outcome() == 0);

  std::vector<std::byte> data(kSize, std::byte{0x5a});
  rig.bulk_out(test::command_wrapper(test::access_10(0x2a, 100, 2048), kSize, false));
  CHECK(rig.bulk_out(data).status == usb_redir_success);
  CHECK(rig.command_outcome() == 0);
  CHECK(std::equal(data.begin(), data.end(), rig.store->bytes.begin() + 100 * 512));
}

TEST_CASE("a guest without 64-bit ids and 32-bit lengths is served too") {
  Rig rig(Speed::high, {usb_redir_cap_ep_info_max_packet_size});
  rig.configure();
  rig.bulk_out(test::command_wrapper(test::access_10(0x28, 0, 64), 32768, true));
  CHECK(rig.bulk_in(32768).data.size() == 32768);
  CHECK(rig.command_outcome() == 0);
}

TEST_CASE("a stalled data phase halts the endpoint until the guest clears it") {
  Rig rig;
  rig.configure();
  rig.bulk_out(test::command_wrapper(std::vector<std::uint8_t>{0xff}, 512, true));
  CHECK(rig.bulk_in(512).status == usb_redir_stall);
  CHECK(rig.bulk_in(13).status == usb_redir_stall);
  CHECK(rig.control_in(0x82, 0, 0, 0x81, 2).data.at(0) == std::byte{1});
  CHECK(rig.control_out(0x02, 1, 0, 0x81).status == usb_redir_success);
  CHECK(rig.control_in(0x82, 0, 0, 0x81, 2).data.at(0) == std::byte{0});
  CHECK(rig.command_outcome() == 1);
}

TEST_CASE("after an invalid command wrapper clearing the halt does not help, the reset recovery does") {
  Rig rig;
  rig.configure();
  CHECK(rig.bulk_out(std::vector<std::byte>(31)).status == usb_redir_stall);
  rig.control_out(0x02, 1, 0, 0x02);
  const auto good = test::command_wrapper(std::vector<std::uint8_t>(6, 0), 0, false);
  CHECK(rig.bulk_out(good).status == usb_redir_stall);
  CHECK(rig.control_out(0x21, 0xff, 0, 0).status == usb_redir_success);
  rig.control_out(0x02, 1, 0, 0x81);
  rig.control_out(0x02, 1, 0, 0x02);
  CHECK(rig.bulk_out(good).status == usb_redir_success);
  CHECK(rig.command_outcome() == 0);
}

TEST_CASE("a request for data waits, in order, until there is some") {
  Rig rig;
  rig.configure();
  rig.guest.parser.send(50, Rig::bulk(Stick::kEndpointIn, 13));
  rig.exchange();
  CHECK(rig.guest.replies.empty());
  rig.guest.parser.send(51, Rig::bulk(Stick::kEndpointOut, 31),
                        test::command_wrapper(std::vector<std::uint8_t>(6, 0), 0, false));
  rig.exchange();
  REQUIRE(rig.guest.replies.size() == 2);
  CHECK(rig.guest.replies[0].id == 51);
  CHECK(rig.guest.replies[1].id == 50);
  CHECK(rig.guest.replies[1].data.size() == 13);
}

TEST_CASE("a waiting request can be cancelled, one that was answered cannot") {
  Rig rig;
  rig.configure();
  rig.guest.parser.send(50, Rig::bulk(Stick::kEndpointIn, 13));
  rig.guest.parser.send(51, Rig::bulk(Stick::kEndpointIn, 13));
  rig.guest.parser.send_cancel_data_packet(51);
  rig.guest.parser.send_cancel_data_packet(9999);
  rig.exchange();
  REQUIRE(rig.guest.replies.size() == 1);
  CHECK(rig.guest.replies[0].id == 51);
  CHECK(rig.guest.replies[0].status == usb_redir_cancelled);
  rig.guest.parser.send_cancel_data_packet(51);
  rig.exchange();
  CHECK(rig.guest.replies.size() == 1);
}

TEST_CASE("a reset forgets what waited and starts the transport anew") {
  Rig rig;
  rig.configure();
  rig.bulk_out(test::command_wrapper(test::access_10(0x2a, 0, 1), 512, false));
  rig.guest.parser.send(50, Rig::bulk(Stick::kEndpointIn, 13));
  rig.guest.replies.clear();
  for (int i = 0; i < 3; ++i) rig.guest.parser.send_reset();
  rig.exchange();
  CHECK(rig.guest.replies.empty());
  CHECK(rig.bulk_in(13).status == usb_redir_inval);  // not configured
  rig.configure();
  CHECK(rig.bulk_out(test::command_wrapper(std::vector<std::uint8_t>(6, 0), 0, false)).status == 0);
  CHECK(rig.command_outcome() == 0);
}

TEST_CASE("more waiting requests than any guest needs are refused, not kept") {
  Rig rig;
  rig.configure();
  for (std::uint64_t i = 0; i < 300; ++i) rig.guest.parser.send(1000 + i, Rig::bulk(Stick::kEndpointIn, 13));
  rig.exchange();
  CHECK(rig.guest.replies.size() == 300 - 256);
  CHECK(rig.guest.replies.front().status == usb_redir_ioerror);
}

TEST_CASE("a request for more data than the limit is refused, not allocated") {
  Rig rig;
  rig.configure();
  CHECK(rig.bulk_in((4 << 20) + 1).status == usb_redir_inval);
}

TEST_CASE("a guest that asks for much and reads nothing stops the input, not the memory") {
  Rig rig(Speed::super);
  rig.configure();
  std::vector<std::byte> burst;
  for (std::uint64_t i = 0; i < 20; ++i) {
    rig.guest.parser.send(i, Rig::bulk(Stick::kEndpointOut, 31),
                          test::command_wrapper(test::access_10(0x28, 0, 1024), 512 * 1024, true));
    rig.guest.parser.send(100 + i, Rig::bulk(Stick::kEndpointIn, 512 * 1024));
    rig.guest.parser.send(200 + i, Rig::bulk(Stick::kEndpointIn, 13));
  }
  const auto bytes = drain(rig.guest.parser);
  const auto taken = rig.host->receive(bytes);
  REQUIRE(taken);
  CHECK(*taken < bytes.size());
  CHECK_FALSE(rig.host->wants_input());
  CHECK(rig.host->receive(std::span(bytes).subspan(*taken)).value() == 0);
  const auto output = drain(*rig.host);
  CHECK(output.size() < 2 * 1024 * 1024);
  CHECK(rig.host->wants_input());
}

TEST_CASE("configurations and settings that do not exist are refused") {
  Rig rig;
  rig.configure();
  rig.guest.parser.send(5, usb_redir_set_configuration_header{9});
  rig.exchange();
  CHECK(rig.guest.replies.back().status == usb_redir_stall);
  rig.guest.parser.send_get_configuration(6);
  rig.exchange();
  CHECK(rig.guest.events.back() == "configuration 1");
  rig.guest.parser.send(7, usb_redir_set_alt_setting_header{0, 0});
  rig.exchange();
  CHECK(rig.guest.replies.back().status == usb_redir_success);
  rig.guest.parser.send(8, usb_redir_set_alt_setting_header{0, 1});
  rig.exchange();
  CHECK(rig.guest.replies.back().status == usb_redir_stall);
  rig.guest.parser.send(9, usb_redir_get_alt_setting_header{3});
  rig.exchange();
  CHECK(rig.guest.replies.back().status == usb_redir_stall);
}

TEST_CASE("transfers that the device has no endpoint for are answered, not ignored") {
  Rig rig;
  rig.configure();
  rig.guest.parser.send(5, usb_redir_start_interrupt_receiving_header{0x83});
  rig.guest.parser.send(6, usb_redir_start_iso_stream_header{0x84, 8, 4});
  rig.guest.parser.send(7, Rig::bulk(0x85, 10));
  rig.exchange();
  REQUIRE(rig.guest.replies.size() == 3);
  for (const auto& reply : rig.guest.replies) CHECK(reply.status == usb_redir_inval);
}

TEST_CASE("filter_reject is the end, and nothing after it counts") {
  Rig rig;
  rig.exchange();
  rig.guest.parser.send_filter_reject();
  rig.guest.parser.send_reset();
  rig.exchange();
  CHECK(rig.host->state() == HostState::rejected);
  CHECK_FALSE(rig.host->wants_input());
  const auto outcome = rig.host->outcome();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().kind == ErrorKind::denied);
  CHECK(rig.host->receive(usbredir::test::bytes_of("whatever")).value() == 8);
}

TEST_CASE("disconnect flushes the data and tells the guest") {
  Rig rig;
  rig.configure();
  rig.host->disconnect();
  rig.host->disconnect();
  CHECK(rig.store->flushes == 1);
  CHECK(rig.host->state() == HostState::disconnected);
  CHECK(rig.host->outcome());
  REQUIRE(rig.guest.parser.feed(drain(*rig.host)));
  CHECK(rig.guest.events.back() == "disconnect");
}

TEST_CASE("data that cannot be flushed in the end is an error") {
  Rig rig;
  rig.configure();
  rig.store->fail_writes = true;
  rig.host->disconnect();
  CHECK_FALSE(rig.host->outcome());
}

TEST_CASE("disconnect before the guest's hello sends nothing but our hello") {
  Rig rig;
  rig.host->disconnect();
  CHECK(drain(*rig.host).size() == 80);
}

TEST_CASE("a guest that breaks the protocol ends the redirection with an error") {
  Rig rig;
  rig.exchange();
  const auto result = rig.host->receive(std::vector<std::byte>(64, std::byte{0xff}));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::protocol);
  CHECK(rig.host->state() == HostState::failed);
  CHECK_FALSE(rig.host->outcome());
}
