#include "client/devices/device_identity.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

LocalDevice stick_at(const std::string& ports, std::uint8_t address, const std::string& serial) {
  LocalDevice device;
  device.place = {1, address, ports};
  device.vendor = 0x0951;
  device.product = 0x1666;
  device.serial = serial;
  return device;
}

}  // namespace

TEST_CASE("a device with a serial number is found again at any port and address, and its twin is not taken for it") {
  const auto identity = identity_of(stick_at("2", 3, "A"), false);
  CHECK(find_again({stick_at("1", 4, "B"), stick_at("4.1", 9, "A")}, identity) == 1);
  const auto none = find_again({stick_at("2", 3, "B"), stick_at("2", 4, "")}, identity);
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::not_found);
}

TEST_CASE("a device without a serial number is found again only at its port") {
  const auto identity = identity_of(stick_at("2", 3, ""), false);
  CHECK(find_again({stick_at("1", 4, ""), stick_at("2", 7, "")}, identity) == 1);
  CHECK_FALSE(find_again({stick_at("1", 4, "")}, identity));
  CHECK(identity.label() == "0951:1666 at port 1-2");
}

TEST_CASE("a device that was named by its port has to come back there") {
  const auto identity = identity_of(stick_at("2", 3, "A"), true);
  CHECK_FALSE(find_again({stick_at("1", 4, "A")}, identity));
  CHECK(find_again({stick_at("2", 4, "A")}, identity) == 0);
  CHECK(identity.label() == "0951:1666 with the serial number A at port 1-2");
}

TEST_CASE("of several devices that share a serial number only the one at the old port is the same") {
  const auto identity = identity_of(stick_at("2", 3, "123456789"), false);
  CHECK(find_again({stick_at("1", 4, "123456789"), stick_at("2", 5, "123456789")}, identity) == 1);
  const auto several = find_again({stick_at("1", 4, "123456789"), stick_at("3", 5, "123456789")}, identity);
  REQUIRE_FALSE(several);
  CHECK(several.error().kind == ErrorKind::conflict);
  CHECK(contains(several.error().hint, "1-2:"));
}

TEST_CASE("another product with the same serial number is another device") {
  const auto identity = identity_of(stick_at("2", 3, "A"), false);
  auto other = stick_at("2", 3, "A");
  other.product = 0x1667;
  CHECK_FALSE(find_again({other}, identity));
}
