#include "client/translation/translated_host.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "client/translation/translation_rig.h"

using namespace usbloop;
using namespace usbloop::client;
using client::testing::FaultyStick;
using client::testing::TranslatedDesk;
using device_sim::BulkOnly;
using device_sim::test::access_10;
using device_sim::test::command_wrapper;
using device_sim::test::MemoryStore;
using uas::kDataInEndpoint;
using uas::kDataOutEndpoint;
using usbredir::HostState;
using usbredir::Speed;

namespace {

const std::vector<std::uint8_t> kTestUnitReady = {0};

struct FaultyDesk {
  FaultyDesk() { desk.attach(); }

  /// READ(10) of eight blocks on `tag`: its outcome, and how many bytes came.
  std::pair<std::string, std::size_t> read(std::uint16_t tag) {
    const auto status = desk.status(tag);
    const auto data = desk.in(kDataInEndpoint, 4096, tag);
    desk.command(tag, access_10(0x28, 8, 8));
    const std::string outcome = desk.outcome(status);
    const auto* const reply = desk.reply(data);
    return {outcome, reply != nullptr ? reply->data.size() : std::size_t{9999}};
  }

  MemoryStore store{1024};
  std::unique_ptr<FaultyStick> made = std::make_unique<FaultyStick>(store);
  FaultyStick* stick = made.get();
  TranslatedDesk desk{std::move(made)};
};

}  // namespace

TEST_CASE("a stick is shown as a UAS disk at super speed, with its own ids and names") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  CHECK(desk.host->state() == HostState::waiting);
  desk.exchange();
  CHECK(desk.host->state() == HostState::announced);
  CHECK(int{desk.guest.connect.speed} == usb_redir_speed_super);
  CHECK(int{desk.guest.connect.vendor_id} == 0x0951);
  CHECK(int{desk.guest.connect.product_id} == 0x1666);
  CHECK(int{desk.guest.connect.device_version_bcd} == 0x0110);
  CHECK(desk.host->device().label() == "0951:1666 \"Kingston DataTraveler 3.0\" (emulated stick, as a UAS disk)");
  desk.attach();
  CHECK(std::uint32_t{desk.guest.endpoints.max_streams[17]} == 16);
}

TEST_CASE("commands, their data and their failures go to the stick and back") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.attach();
  const auto status = desk.status(1);
  const auto read = desk.in(kDataInEndpoint, 4096, 1);
  desk.command(1, access_10(0x28, 8, 8));
  CHECK(desk.outcome(status) == "0");
  CHECK(std::equal(desk.reply(read)->data.begin(), desk.reply(read)->data.end(), store.bytes.begin() + 8 * 512));
  const std::vector<std::byte> data(4096, std::byte{0x77});
  const auto second = desk.status(2);
  const auto written = desk.out(kDataOutEndpoint, data, 2);
  desk.command(2, access_10(0x2a, 16, 8));
  CHECK(desk.outcome(second) == "0");
  CHECK(desk.reply(written)->length == 4096);
  CHECK(std::equal(data.begin(), data.end(), store.bytes.begin() + 16 * 512));
  const auto third = desk.status(3);
  const auto nothing = desk.in(kDataInEndpoint, 512, 3);
  desk.command(3, access_10(0x28, 5000, 1));
  CHECK(desk.outcome(third) == "2/5/21/0");
  CHECK(desk.reply(nothing)->data.empty());
  const auto fourth = desk.status(4);
  desk.command(4, {0xf0});
  CHECK(desk.outcome(fourth) == "2/5/20/0");
  const auto fifth = desk.status(5);
  const auto inquiry = desk.in(kDataInEndpoint, 255, 5);
  desk.command(5, {0x12, 0, 0, 0, 255, 0});
  CHECK(desk.outcome(fifth) == "0");
  CHECK(desk.reply(inquiry)->data.size() == 36);
}

TEST_CASE("a command whose data is asked for later waits for it") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.attach();
  const auto status = desk.status(1);
  desk.command(1, access_10(0x28, 8, 8));
  CHECK(desk.outcome(status) == "-");
  const auto read = desk.in(kDataInEndpoint, 4096, 1);
  CHECK(desk.outcome(status) == "0");
  CHECK(desk.reply(read)->data.size() == 4096);
}

TEST_CASE("data that comes in pieces goes to the stick as one command, when the block size is known") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.attach();
  desk.status(9);
  desk.in(kDataInEndpoint, 8, 9);
  desk.command(9, {0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  desk.exchange();
  const auto status = desk.status(1);
  desk.out(kDataOutEndpoint, std::vector<std::byte>(1024, std::byte{1}), 1);
  desk.command(1, access_10(0x2a, 8, 8));
  CHECK(desk.outcome(status) == "-");
  desk.out(kDataOutEndpoint, std::vector<std::byte>(1024, std::byte{2}), 1);
  desk.out(kDataOutEndpoint, std::vector<std::byte>(2048, std::byte{3}), 1);
  CHECK(desk.outcome(status) == "0");
  CHECK(store.bytes[8 * 512] == std::byte{1});
  CHECK(store.bytes[10 * 512] == std::byte{2});
  CHECK(store.bytes[15 * 512] == std::byte{3});
  const auto second = desk.status(2);
  const auto first_half = desk.in(kDataInEndpoint, 2048, 2);
  desk.command(2, access_10(0x28, 8, 8));
  CHECK(desk.outcome(second) == "-");
  const auto second_half = desk.in(kDataInEndpoint, 2048, 2);
  CHECK(desk.outcome(second) == "0");
  CHECK(desk.reply(first_half)->data.size() == 2048);
  CHECK(desk.reply(second_half)->data.back() == std::byte{3});
}

TEST_CASE("a flush is acknowledged when the stick has done it, and not before") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.attach();
  desk.slow->hurry(false);
  const auto status = desk.status(1);
  desk.command(1, {0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(desk.outcome(status) == "-");
  while (desk.slow->is_holding()) {
    CHECK(desk.outcome(status) == "-");
    desk.slow->allow(1);
    desk.exchange();
  }
  CHECK(store.flushes == 1);
  CHECK(desk.outcome(status) == "0");
  desk.slow->hurry(true);
  store.fail_writes = true;
  const auto second = desk.status(2);
  desk.command(2, {0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(desk.outcome(second) == "2/3/c/0");
}

TEST_CASE("a stick that breaks the transport is recovered, and the command can be repeated") {
  using Fault = FaultyStick::Fault;
  for (const Fault fault : {Fault::wrong_tag, Fault::wrong_signature, Fault::phase_error, Fault::short_status}) {
    FaultyDesk faulty;
    faulty.stick->fault = fault;
    CHECK(faulty.read(1) == std::pair<std::string, std::size_t>("2/b/8/0", 0));
    CHECK(faulty.stick->transport_resets == 1);
    CHECK(faulty.read(2) == std::pair<std::string, std::size_t>("0", 4096));
  }
}

TEST_CASE("what the specification allows a stick is no fault") {
  using Fault = FaultyStick::Fault;
  for (const Fault fault : {Fault::empty_before, Fault::stalls}) {
    FaultyDesk faulty;
    faulty.stick->fault = fault;
    CHECK(faulty.read(1) == std::pair<std::string, std::size_t>("0", 4096));
    CHECK(faulty.stick->transport_resets == 0);
  }
}

TEST_CASE("the residue shortens the data, unless the stick is known for wrong ones") {
  FaultyDesk faulty;
  faulty.stick->fault = FaultyStick::Fault::residue;
  CHECK(faulty.read(1) == std::pair<std::string, std::size_t>("0", 3996));
  faulty.stick->fault = FaultyStick::Fault::residue;
  faulty.desk.status(2);
  const auto inquiry = faulty.desk.in(kDataInEndpoint, 36, 2);
  faulty.desk.command(2, {0x12, 0, 0, 0, 36, 0});
  CHECK(faulty.desk.reply(inquiry)->data.size() == 36);
  faulty.stick->fault = FaultyStick::Fault::residue;
  CHECK(faulty.read(3) == std::pair<std::string, std::size_t>("0", 4096));
}

TEST_CASE("a stick that refuses its reset has its bus reset") {
  FaultyDesk faulty;
  faulty.stick->refuses_reset = true;
  faulty.stick->fault = FaultyStick::Fault::phase_error;
  const int before = faulty.stick->bus_resets;
  CHECK(faulty.read(1).first == "2/b/8/0");
  CHECK(faulty.stick->bus_resets > before);
  CHECK(faulty.read(2) == std::pair<std::string, std::size_t>("0", 4096));
}

TEST_CASE("a stick that answers nothing but errors fails each command, and the guest can go on asking") {
  FaultyDesk faulty;
  faulty.stick->fault = FaultyStick::Fault::dies;
  for (std::uint16_t tag = 1; tag < 5; ++tag) CHECK(faulty.read(tag).first == "2/b/8/0");
  faulty.stick->fault = FaultyStick::Fault::none;
  CHECK(faulty.read(5).first == "0");
}

TEST_CASE("an aborted command leaves the stick ready for the next one, wherever it was") {
  for (std::size_t progress = 0; progress < 400; progress += 7) {
    MemoryStore store(1024);
    TranslatedDesk desk(store);
    desk.attach();
    desk.slow->hurry(false);
    desk.status(1);
    desk.in(kDataInEndpoint, 512, 1);
    desk.command(1, access_10(0x28, 0xfff0, 1));  // fails: with REQUEST SENSE behind it
    desk.exchange();
    for (std::size_t let = 0; let < progress; ++let) {
      desk.slow->allow(1);
      desk.exchange();
    }
    const auto response = desk.status(9);
    desk.out(uas::kCommandEndpoint, uas::test::task_unit(9, uas::TaskManagementUnit::kAbortTask, 1));
    CHECK(desk.outcome(response) == "response 0");
    desk.slow->hurry(true);
    const auto status = desk.status(2);
    const auto read = desk.in(kDataInEndpoint, 4096, 2);
    desk.command(2, access_10(0x28, 8, 8));
    CHECK(desk.outcome(status) == "0");
    REQUIRE(desk.reply(read) != nullptr);
    CHECK(std::equal(desk.reply(read)->data.begin(), desk.reply(read)->data.end(), store.bytes.begin() + 8 * 512));
  }
}

TEST_CASE("a guest without streams, and a stick of several units, get Bulk-Only at the stick's own speed") {
  MemoryStore store(1024);
  TranslatedDesk without(store, false);
  without.exchange();
  CHECK(int{without.guest.connect.speed} == usb_redir_speed_high);
  CHECK(without.host->device().label() == "0951:1666 \"Kingston DataTraveler 3.0\" (emulated stick)");
  auto several = std::make_unique<FaultyStick>(store);
  several->several_units = true;
  TranslatedDesk desk(std::move(several));
  desk.exchange();
  CHECK(int{desk.guest.connect.speed} == usb_redir_speed_high);
  desk.guest.parser.send(1, usb_redir_set_configuration_header{1});
  desk.guest.parser.send(50, usb_redir_control_packet_header{0x80, 0xfe, 0xa1, 0, 0, 0, 1});
  CHECK(desk.reply(50)->data.at(0) == std::byte{3});
}

TEST_CASE("alternate setting 0 is Bulk-Only, stalls and the reset recovery among it") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.exchange();
  desk.guest.parser.send(1, usb_redir_set_configuration_header{1});
  desk.out(BulkOnly::kEndpointOut, command_wrapper(access_10(0x28, 8, 8), 4096, true));
  const auto data = desk.in(BulkOnly::kEndpointIn, 4096, 0);
  const auto status = desk.in(BulkOnly::kEndpointIn, 13, 0);
  CHECK(desk.reply(data)->data.size() == 4096);
  CHECK(desk.reply(status)->data.size() == 13);
  desk.out(BulkOnly::kEndpointOut, command_wrapper(access_10(0x28, 9000, 1), 512, true));
  const auto stalled = desk.in(BulkOnly::kEndpointIn, 512, 0);
  CHECK(desk.reply(stalled)->status == usb_redir_stall);
  desk.guest.parser.send(60, usb_redir_control_packet_header{0, 1, 2, 0, 0, BulkOnly::kEndpointIn, 0});
  const auto failed = desk.in(BulkOnly::kEndpointIn, 13, 0);
  CHECK(desk.reply(failed)->data.at(12) == std::byte{1});
  const auto broken = desk.out(BulkOnly::kEndpointOut, std::vector<std::byte>(31));
  CHECK(desk.reply(broken)->status == usb_redir_stall);
  desk.guest.parser.send(61, usb_redir_control_packet_header{0, 0xff, 0x21, 0, 0, 0, 0});
  desk.guest.parser.send(62, usb_redir_control_packet_header{0, 1, 2, 0, 0, BulkOnly::kEndpointIn, 0});
  desk.guest.parser.send(63, usb_redir_control_packet_header{0, 1, 2, 0, 0, BulkOnly::kEndpointOut, 0});
  const auto good = desk.out(BulkOnly::kEndpointOut, command_wrapper(kTestUnitReady, 0, false));
  CHECK(desk.reply(good)->length == 31);
}

TEST_CASE("a guest that goes from Bulk-Only to UAS in the middle of a command finds a stick that is ready") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.exchange();
  desk.guest.parser.send(1, usb_redir_set_configuration_header{1});
  desk.out(BulkOnly::kEndpointOut, command_wrapper(access_10(0x2a, 8, 8), 4096, false));
  const auto waits = desk.in(BulkOnly::kEndpointIn, 13, 0);
  CHECK(desk.reply(waits) == nullptr);
  desk.guest.parser.send_cancel_data_packet(waits);
  CHECK(desk.reply(waits)->status == usb_redir_cancelled);
  desk.attach();
  const auto status = desk.status(1);
  desk.command(1, kTestUnitReady);
  CHECK(desk.outcome(status) == "0");
}

TEST_CASE("a stick that is pulled out leaves the guest at once, with its own reason") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.attach();
  desk.slow->unplug();
  desk.host->look();
  CHECK(desk.host->state() == HostState::device_gone);
  REQUIRE(desk.guest.parser.feed(usbredir::test::drain(*desk.host)));
  CHECK(desk.guest.events.back() == "disconnect");
  REQUIRE_FALSE(desk.host->outcome());
  CHECK(desk.host->outcome().error().cause == "pulled out");
}

TEST_CASE("a guest's side that rejects the disk ends it with that reason, and the stick is given back") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.exchange();
  desk.guest.parser.send_filter_reject();
  desk.exchange();
  desk.host->look();
  CHECK(desk.host->state() == HostState::rejected);
  REQUIRE_FALSE(desk.host->outcome());
  CHECK(desk.host->outcome().error().kind == ErrorKind::denied);
  CHECK(desk.slow->state() == HostState::disconnected);
}

TEST_CASE("a device that is no stick is refused with the way out") {
  MemoryStore store(1024);
  auto other = std::make_unique<FaultyStick>(store);
  other->set_protocol(0x01);  // Control/Bulk/Interrupt
  TranslatedDesk desk(std::move(other));
  desk.host->look();
  CHECK(desk.host->state() == HostState::device_gone);
  REQUIRE_FALSE(desk.host->outcome());
  CHECK(desk.host->outcome().error().hint == "--transport bulk-only redirects it as it is.");
}

TEST_CASE("disconnecting tells both sides") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  desk.attach();
  desk.host->disconnect();
  CHECK(desk.host->state() == HostState::disconnected);
  CHECK(desk.host->outcome());
  CHECK(store.flushes == 1);
  REQUIRE(desk.guest.parser.feed(usbredir::test::drain(*desk.host)));
  CHECK(desk.guest.events.back() == "disconnect");
}

TEST_CASE("a guest whose first words are no hello ends it") {
  MemoryStore store(1024);
  TranslatedDesk desk(store);
  static_cast<void>(desk.host->receive(std::vector<std::byte>(64, std::byte{0xff})));
  CHECK(desk.host->state() == HostState::failed);
  CHECK_FALSE(desk.host->outcome());
}
