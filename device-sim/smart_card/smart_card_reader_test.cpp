#include "device-sim/smart_card/smart_card_reader.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "common/test_text.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/smart_card/smart_card_double.h"
#include "device-sim/smart_card/smart_card_spec.h"
#include "usbredir/descriptors.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using device_sim::test::Reply;
using device_sim::test::SmartCardDouble;
using usbloop::testing::contains;

namespace {

using ReaderBytes = std::vector<std::byte>;

struct ReaderRig : DeviceRig {
  ReaderRig()
      : DeviceRig(std::make_unique<SmartCardReader>(SmartCardReaderOptions{}, std::make_unique<SmartCardDouble>())) {
    configure();
  }
  static ReaderBytes message(int type, std::uint8_t sequence, std::size_t body = 0) {
    return write_ccid({.type = static_cast<std::uint8_t>(type), .sequence = sequence}, ReaderBytes(body, std::byte{1}));
  }
  Reply write(std::span<const std::byte> data) {
    const auto replies = bulk_out(SmartCardReader::kOut, data);
    REQUIRE(replies.size() == 1);
    return replies.front();
  }
  ReaderBytes read(std::size_t size = CcidCollector::kLongest) {
    const auto replies = bulk_in(SmartCardReader::kIn, size);
    REQUIRE(replies.size() == 1);
    CHECK(int{replies.front().status} == usb_redir_success);
    return replies.front().data;
  }
  int control(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index) {
    const int status = control_out(type, request, value, index).status;
    guest.replies.clear();
    return status;
  }
  void power() {
    write(message(0x62, 1));
    CHECK(read().size() == CcidHeader::kSize + 2);
  }
};

}  // namespace

TEST_CASE("a reader describes itself as CCID 1.1 has it") {
  const SmartCardReader reader({}, std::make_unique<SmartCardDouble>());
  const auto& bytes = reader.descriptors().configuration;
  REQUIRE(bytes.size() == 9 + 9 + 54 + 3 * 7);
  CHECK(bytes[18] == std::byte{54});
  CHECK(bytes[19] == std::byte{0x21});
  const std::size_t longest = std::to_integer<std::size_t>(bytes[18 + 44]) |
                              std::to_integer<std::size_t>(bytes[18 + 45]) << 8 |
                              std::to_integer<std::size_t>(bytes[18 + 46]) << 16;
  CHECK(longest == CcidCollector::kLongest);
  const auto configuration = usbredir::parse_configuration(bytes);
  REQUIRE(configuration);
  CHECK(configuration->settings.size() == 1);
  CHECK(configuration->settings.front().endpoints.size() == 3);
}

TEST_CASE("a guest powers a card on, and asks it something") {
  ReaderRig rig;
  rig.power();
  rig.write(ReaderRig::message(0x6f, 2, 5));
  const auto answer = rig.read();
  CHECK(answer.size() == CcidHeader::kSize + 7);
  CHECK(answer[6] == std::byte{2});
}

TEST_CASE("the guest is told once after each reset that there is a card") {
  ReaderRig rig;
  rig.start_receiving(SmartCardReader::kNotify);
  const auto told = rig.interrupts();
  REQUIRE(told.size() == 1);
  CHECK(told.front().data == ReaderBytes{std::byte{0x50}, std::byte{0x03}});
  CHECK(rig.interrupts().empty());
  rig.configure();
  rig.start_receiving(SmartCardReader::kNotify);
  CHECK(rig.interrupts().size() == 1);
}

TEST_CASE("the longest message comes in one transfer or in several, and its answer too") {
  for (const std::size_t piece : {std::size_t{64}, std::size_t{4096}, CcidCollector::kLongest}) {
    CAPTURE(piece);
    ReaderRig rig;
    rig.power();
    // The double answers with two bytes more than it has got.
    const auto message = ReaderRig::message(0x6f, 3, CcidCollector::kLongest - CcidHeader::kSize - 2);
    for (std::size_t at = 0; at < message.size(); at += piece)
      CHECK(int{rig.write(std::span(message).subspan(at, std::min(piece, message.size() - at))).status} ==
            usb_redir_success);
    std::size_t size = 0;
    while (size < CcidCollector::kLongest) size += rig.read(std::min(piece, CcidCollector::kLongest - size)).size();
    CHECK(size == CcidCollector::kLongest);
    rig.write(ReaderRig::message(0x65, 4));
    CHECK(rig.read()[6] == std::byte{4});
  }
}

TEST_CASE("a message of whole packets may have an empty one behind it") {
  ReaderRig rig;
  rig.power();
  rig.write(ReaderRig::message(0x6f, 2, 64 - CcidHeader::kSize));
  CHECK(int{rig.write({}).status} == usb_redir_success);
  CHECK(rig.read().size() == 64 + 2);
  rig.write(ReaderRig::message(0x65, 3));
  CHECK(rig.read()[6] == std::byte{3});
}

TEST_CASE("what has no header, or is too long, halts the endpoint, and what comes next is served") {
  ReaderRig rig;
  CHECK(int{rig.write(ReaderBytes(9)).status} == usb_redir_stall);
  const auto clear = [&rig] { CHECK(rig.control(0x02, 1, 0, SmartCardReader::kOut) == usb_redir_success); };
  clear();
  CHECK(int{rig.write(ReaderBytes(CcidCollector::kLongest + 1)).status} == usb_redir_stall);
  clear();
  // One that is cut short has an answer: that its length is wrong.
  auto cut = ReaderRig::message(0x65, 5);
  cut[1] = std::byte{100};
  CHECK(int{rig.write(cut).status} == usb_redir_success);
  CHECK(rig.read()[8] == std::byte{1});
  rig.power();
}

TEST_CASE("a guest that does not read its answers has its commands wait") {
  ReaderRig rig;
  for (std::uint8_t sequence = 1; sequence <= 4; ++sequence) rig.write(ReaderRig::message(0x65, sequence));
  CHECK(rig.bulk_out(SmartCardReader::kOut, ReaderRig::message(0x65, 5)).empty());
  for (int sequence = 1; sequence <= 5; ++sequence) {
    // The fifth is taken as the first is read.
    bool has_come = false;
    for (const auto& reply : rig.bulk_in(SmartCardReader::kIn, 64)) {
      if (reply.data.empty()) continue;
      CHECK(std::to_integer<int>(reply.data[6]) == sequence);
      has_come = true;
    }
    CHECK(has_come);
  }
}

TEST_CASE("an abort takes the answers away that the guest has not read") {
  ReaderRig rig;
  rig.write(ReaderRig::message(0x65, 1));
  CHECK(rig.control(0x21, 1, 0x0200, 0) == usb_redir_success);
  CHECK(rig.control(0x21, 1, 0x0201, 0) == usb_redir_stall);  // slot 1
  rig.write(ReaderRig::message(0x72, 2));
  CHECK(rig.read()[6] == std::byte{2});
  CHECK(int{rig.control_in(0xa1, 2, 0, 0, 64).status} == usb_redir_stall);  // it has one clock
}

TEST_CASE("a card without a database or with names that are none is refused with the reason") {
  const auto cause_of = [](const DeviceSpec& spec) {
    const auto device = make_smart_card(spec, {});
    REQUIRE_FALSE(device);
    return device.error().message();
  };
  CHECK(contains(cause_of({"smart-card", {}}), "it needs a database of certificates and their names"));
  CHECK(contains(cause_of({"smart-card", {{"db", "/nowhere"}, {"certs", "a"}}}), "it has no cert9.db"));
  CHECK(contains(cause_of({"smart-card", {{"db", "a\"b"}, {"certs", "a"}}}), "no database with such a name"));
  CHECK(
      contains(cause_of({"smart-card", {{"db", "."}, {"certs", "1:2:3:4:5:6:7:8:9:10:11"}}}), "1 to 10 certificates"));
}
