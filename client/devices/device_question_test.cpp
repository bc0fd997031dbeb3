#include "client/devices/device_question.h"

#include <doctest/doctest.h>

#include <sstream>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

ListedDevice device_at(std::uint8_t address, const InterfaceClass& what, bool hub = false) {
  ListedDevice listed;
  listed.device.place.bus = 1;
  listed.device.place.address = address;
  listed.device.hub = hub;
  listed.device.interfaces = {what};
  listed.device.product_name = "Device " + std::to_string(address);
  listed.accessible = address != 5;
  return listed;
}

/// A hub, a stick, a keyboard, a camera and a stick that may not be opened.
const std::vector<ListedDevice> kPlugged = {device_at(1, {9, 0, 0}, true), device_at(2, {8, 6, 0x50}),
                                            device_at(3, {3, 1, 1}), device_at(4, {14, 1, 0}),
                                            device_at(5, {8, 6, 0x50})};

struct Picked {
  Result<std::vector<Selector>> devices;
  std::string asked;
};

Picked pick(const std::string& answers, const std::vector<ListedDevice>& devices = kPlugged) {
  std::istringstream in(answers);
  std::ostringstream out;
  auto picked = pick_devices(devices, DevicePolicy{}, in, out);
  return {std::move(picked), out.str()};
}

}  // namespace

TEST_CASE("the picker offers what may be redirected, and takes one or several") {
  const auto one = pick("2\n");
  REQUIRE(one.devices);
  CHECK(*one.devices == std::vector<Selector>{BusDevice{1, 4}});
  CHECK(contains(one.asked, "  1)  1-2  "));
  CHECK(contains(one.asked, "  2)  1-4  "));
  CHECK(contains(one.asked, "  3)  1-5  "));
  CHECK(contains(one.asked, "(you may not open it)"));
  CHECK_FALSE(contains(one.asked, "1-1"));
  CHECK_FALSE(contains(one.asked, "1-3  "));  // the keyboard
  for (const char* answer : {"3 1\n", "3,1\n", " 3, 1 ,3\n", "3\t1\r\n"}) {
    CHECK(*pick(answer).devices == std::vector<Selector>{BusDevice{1, 5}, BusDevice{1, 2}});
  }
}

TEST_CASE("a wrong answer is asked for again, and none ends it") {
  CHECK(*pick("4\nx\n1\n").devices == std::vector<Selector>{BusDevice{1, 2}});
  for (const char* answer : {"", "\n", "  \n1\n", "0\nx\n1-2\n1\n", "1;2\n-1\n1x\n"}) {
    const auto none = pick(answer).devices;
    REQUIRE_FALSE(none);
    CHECK(none.error().kind == ErrorKind::cancelled);
  }
}

TEST_CASE("where nothing may be redirected nothing is asked") {
  const auto none = pick("1\n", {kPlugged[0], kPlugged[2]});
  REQUIRE_FALSE(none.devices);
  CHECK(none.devices.error().kind == ErrorKind::not_found);
  CHECK(none.asked.empty());
}
