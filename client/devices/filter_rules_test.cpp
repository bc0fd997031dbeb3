#include "client/devices/filter_rules.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

const InterfaceClass kStorage{8, 6, 0x50};
const InterfaceClass kKeyboard{3, 1, 1};
const InterfaceClass kOtherHid{3, 0, 0};
const InterfaceClass kAudio{1, 1, 0};

FilterRules rules_of(const char* text) {
  FilterRules rules;
  REQUIRE(rules.add(text));
  return rules;
}

FilteredDevice device_with(std::vector<InterfaceClass> interfaces) {
  return {0x951, 0x1666, 0x0110, {}, std::move(interfaces)};
}

}  // namespace

TEST_CASE("the first rule that fits decides, for each interface, and the one that refuses is named") {
  const auto rules = rules_of("0x08,0x0951,0x1666,-1,1|8,-1,-1,-1,0|0x03,-1,-1,-1,0|-1,-1,-1,-1,1");
  CHECK_FALSE(rules.refusal(device_with({kStorage})));
  auto other = device_with({kStorage});
  other.product = 0x1667;
  CHECK(rules.refusal(other) == "the filter rule 8,-1,-1,-1,0 refuses it");
  CHECK(rules.refusal(device_with({kStorage, kKeyboard})) == "the filter rule 0x03,-1,-1,-1,0 refuses it");
  CHECK_FALSE(rules.refusal(device_with({kAudio})));
  // The volume buttons of a headset do not make it a keyboard (usbredirfilter.h).
  CHECK_FALSE(rules.refusal(device_with({kAudio, kOtherHid})));
}

TEST_CASE("versions and classes of the whole device are judged too") {
  auto device = device_with({kStorage});
  CHECK(rules_of("-1,-1,-1,0x0110,0|-1,-1,-1,-1,1").refusal(device));
  CHECK_FALSE(rules_of("-1,-1,-1,0x0111,0|-1,-1,-1,-1,1").refusal(device));
  device.device_class = {0xe0, 1, 1};
  CHECK(rules_of("0xe0,-1,-1,-1,0|-1,-1,-1,-1,1").refusal(device) == "the filter rule 0xe0,-1,-1,-1,0 refuses it");
}

TEST_CASE("what no rule allows is refused, and without rules all is allowed") {
  CHECK(contains(rules_of("0x03,-1,-1,-1,0").refusal(device_with({kStorage})).value(), "no filter rule allows it"));
  CHECK_FALSE(FilterRules().refusal(device_with({kKeyboard})));
  CHECK_FALSE(FilterRules().refusal(device_with({})));
}

TEST_CASE("a device whose interfaces nobody knows is refused where there are rules") {
  CHECK(contains(rules_of("-1,-1,-1,-1,1").refusal(device_with({})).value(), "interfaces are not known"));
  CHECK(rules_of("-1,-1,-1,-1,1").refusal(device_with(std::vector<InterfaceClass>(33, kStorage))));
}

TEST_CASE("texts that are no rules are refused with the wrong part, and add nothing") {
  for (const char* text :
       {"", "|", "1,2,3,4", "1,2,3,4,1,", "0x03,,-1,-1,0", "256,-1,-1,-1,1", "-2,-1,-1,-1,1", "8,0x10000,-1,-1,1",
        "8,-1,-1,-1,2", "8,-1,-1,-1,-1", "8,-1,-1,-1,1|", "8, -1,-1,-1,1", "010,-1,-1,-1,1", "0x,-1,-1,-1,1",
        "0x08,-1,-1,-1,1|storage", "+8,-1,-1,-1,1", "99999999999999999999,-1,-1,-1,1"}) {
    CAPTURE(text);
    FilterRules rules;
    const auto added = rules.add(text);
    REQUIRE_FALSE(added);
    CHECK(added.error().kind == usbloop::ErrorKind::invalid);
    CHECK(contains(added.error().hint, "CLASS,VENDOR,PRODUCT,VERSION,ALLOW"));
    CHECK(rules.empty());
  }
  FilterRules rules;
  CHECK(contains(rules.add("8,-1,-1,-1,1|storage").error().message(), "\"storage\": it is none"));
}

TEST_CASE("the number of rules has a limit") {
  FilterRules rules;
  for (std::size_t count = 0; count < FilterRules::kMostRules; ++count) REQUIRE(rules.add("8,-1,-1,-1,1"));
  CHECK(contains(rules.add("8,-1,-1,-1,1").error().message(), "more than 256 rules"));
  CHECK_FALSE(rules.refusal(device_with({kStorage})));
}
