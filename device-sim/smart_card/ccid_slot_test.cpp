#include "device-sim/smart_card/ccid_slot.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "device-sim/smart_card/smart_card_double.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::SmartCardDouble;

namespace {

using Bytes = std::vector<std::byte>;

Bytes card_bytes(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

struct SlotRig {
  CcidHeader ask(int type, const Bytes& data = {}, std::array<std::uint8_t, 3> rest = {}, std::uint8_t number = 0) {
    CcidHeader header{.type = static_cast<std::uint8_t>(type), .slot = number, .sequence = ++sequence};
    header.rest = rest;
    return send(write_ccid(header, data));
  }
  CcidHeader send(const Bytes& message) {
    const Bytes said = slot.answer(message);
    REQUIRE(said.size() >= CcidHeader::kSize);
    body.assign(said.begin() + CcidHeader::kSize, said.end());
    const CcidHeader header = CcidHeader::read(said);
    CHECK(header.length == body.size());
    CHECK(std::byte{header.sequence} == message[6]);
    return header;
  }

  SmartCardDouble card;
  CcidSlot slot{card};
  std::uint8_t sequence = 0;
  Bytes body;  ///< of the last answer
};

void check_answer(const CcidHeader& said, int type, int status, int error) {
  CHECK(int{said.type} == type);
  CHECK(int{said.rest[0]} == status);
  CHECK(int{said.rest[1]} == error);
}

constexpr int kActive = 0, kInactive = 1, kFailedActive = 0x40, kFailedInactive = 0x41;

}  // namespace

TEST_CASE("a card gets power, answers commands while it has it, and loses it again") {
  SlotRig rig;
  check_answer(rig.ask(0x65), 0x81, kInactive, 0);
  check_answer(rig.ask(0x6f, card_bytes({0, 0xa4, 4, 0})), 0x80, kFailedInactive, 0xfe);
  check_answer(rig.ask(0x62), 0x80, kActive, 0);
  CHECK(rig.body == card_bytes({0x3b, 0}));
  check_answer(rig.ask(0x65), 0x81, kActive, 0);
  check_answer(rig.ask(0x6f, card_bytes({0, 0xa4, 4, 1})), 0x80, kActive, 0);
  CHECK(rig.body == card_bytes({1, 4, 0xa4, 0, 0x90, 0}));
  check_answer(rig.ask(0x63), 0x81, kInactive, 0);
  CHECK_FALSE(rig.card.has_power());
  check_answer(rig.ask(0x62), 0x80, kActive, 0);
  rig.slot.reset();
  CHECK_FALSE(rig.card.has_power());
}

TEST_CASE("a card that says nothing is mute") {
  SlotRig rig;
  rig.card.is_mute = true;
  check_answer(rig.ask(0x62), 0x80, kFailedInactive, 0xfe);
  rig.card.is_mute = false;
  rig.ask(0x62);
  rig.card.is_mute = true;
  check_answer(rig.ask(0x6f, card_bytes({0, 0, 0, 0})), 0x80, kFailedActive, 0xfe);
}

TEST_CASE("the parameters of T=0 are set, told and what they were again") {
  SlotRig rig;
  check_answer(rig.ask(0x6c), 0x82, kInactive, 0);
  const Bytes usual = rig.body;
  CHECK(usual.size() == 5);
  const Bytes other = card_bytes({0x18, 2, 3, 4, 0});
  check_answer(rig.ask(0x61, other), 0x82, kInactive, 0);
  CHECK(rig.body == other);
  rig.ask(0x6c);
  CHECK(rig.body == other);
  check_answer(rig.ask(0x61, other, {1, 0, 0}), 0x82, kFailedInactive, 7);  // T=1
  check_answer(rig.ask(0x61, card_bytes({1, 2, 3, 4})), 0x82, kFailedInactive, 1);
  check_answer(rig.ask(0x6d), 0x82, kInactive, 0);
  CHECK(rig.body == usual);
}

TEST_CASE("what a reader does not have, and what makes no sense, fails and says where") {
  SlotRig rig;
  rig.ask(0x62);
  check_answer(rig.ask(0x6b, card_bytes({1, 2})), 0x83, kFailedActive, 0);  // Escape
  check_answer(rig.ask(0x69), 0x80, kFailedActive, 0);                      // Secure
  check_answer(rig.ask(0x73), 0x84, kFailedActive, 0);
  for (const int type : {0x00, 0x6a, 0x6e, 0x71, 0x80, 0xff}) check_answer(rig.ask(type), 0x81, kFailedActive, 0);
  check_answer(rig.ask(0x65, {}, {}, 1), 0x81, 0x42, 5);  // there is no card in no slot
  for (const int type : {0x62, 0x63, 0x65, 0x6c, 0x6d}) CHECK(int{rig.ask(type, card_bytes({0})).rest[1]} == 1);
  check_answer(rig.ask(0x62, {}, {4, 0, 0}), 0x80, kFailedActive, 7);
  check_answer(rig.ask(0x6f, card_bytes({0, 0, 0, 0}), {0, 1, 0}), 0x80, kFailedActive, 8);  // the first of several
  check_answer(rig.ask(0x6f, card_bytes({0, 0, 0})), 0x80, kFailedActive, 1);
  CHECK(rig.card.has_power());
}

TEST_CASE("a message whose length is not what it says fails") {
  SlotRig rig;
  Bytes message = write_ccid({.type = 0x65, .sequence = 9}, {});
  for (const int length : {1, 0xff}) {
    message[4] = static_cast<std::byte>(length);
    check_answer(rig.send(message), 0x81, kFailedInactive, 1);
  }
  message[4] = std::byte{0};
  message.push_back(std::byte{0});
  check_answer(rig.send(message), 0x81, kFailedInactive, 1);
}

TEST_CASE("from an abort by the control pipe to the one by the bulk pipe all commands fail") {
  SlotRig rig;
  CHECK_FALSE(rig.slot.begin_abort(1, 7));
  check_answer(rig.ask(0x65), 0x81, kInactive, 0);
  REQUIRE(rig.slot.begin_abort(0, 7));
  check_answer(rig.ask(0x62), 0x80, kFailedInactive, 0xff);
  rig.sequence = 5;
  check_answer(rig.ask(0x72), 0x81, kFailedInactive, 0xff);  // another number
  check_answer(rig.ask(0x72), 0x81, kInactive, 0);
  check_answer(rig.ask(0x65), 0x81, kInactive, 0);
}
