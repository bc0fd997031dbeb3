#include "client/devices/device_claims.h"

#include <doctest/doctest.h>

using namespace usbloop::client;

namespace {

LocalDevice stick_at(std::uint8_t address, const std::string& ports, const std::string& serial) {
  LocalDevice device;
  device.vendor = 0x951;
  device.product = 0x1666;
  device.serial = serial;
  device.place.bus = 1;
  device.place.address = address;
  device.place.ports = ports;
  return device;
}

}  // namespace

TEST_CASE("a device is one redirection's only, whose name is told to the second") {
  DeviceClaims claims;
  const int first = 0;
  const int second = 0;
  const auto device = stick_at(3, "1", "A");
  CHECK_FALSE(claims.claim(&first, "0951:1666", device));
  CHECK_FALSE(claims.claim(&first, "0951:1666", device));  // its own, again
  CHECK(claims.claim(&second, "1-3", device) == "0951:1666");
  CHECK(claims.is_of_another(&second, device));
  CHECK_FALSE(claims.is_of_another(&first, device));
  claims.forget(&first);
  CHECK_FALSE(claims.claim(&second, "1-3", device));
}

TEST_CASE("of two sticks with one serial number the one that comes back takes neither the other nor its port") {
  DeviceClaims claims;
  const int first = 0;
  const int second = 0;
  CHECK_FALSE(claims.claim(&first, "port=1-1", stick_at(3, "1", "SAME")));
  CHECK_FALSE(claims.claim(&second, "port=1-2", stick_at(4, "2", "SAME")));
  CHECK(claims.is_of_another(&first, stick_at(4, "2", "SAME")));
  CHECK(claims.is_of_another(&first, stick_at(5, "2", "SAME")));  // plugged in again: the second's
  CHECK_FALSE(claims.is_of_another(&first, stick_at(5, "3", "SAME")));
  CHECK_FALSE(claims.claim(&first, "port=1-1", stick_at(5, "3", "SAME")));
  CHECK(claims.is_of_another(&second, stick_at(6, "3", "SAME")));
  CHECK_FALSE(claims.is_of_another(&second, stick_at(6, "1", "SAME")));  // its claim has moved
}

TEST_CASE("devices that differ may change their ports, and those without known ports are told apart by their address") {
  DeviceClaims claims;
  const int first = 0;
  const int second = 0;
  CHECK_FALSE(claims.claim(&first, "a", stick_at(3, "1", "A")));
  CHECK_FALSE(claims.claim(&second, "b", stick_at(4, "1", "B")));
  claims.forget(&first);
  CHECK_FALSE(claims.claim(&first, "a", stick_at(5, "", "B")));
  CHECK(claims.is_of_another(&second, stick_at(5, "", "B")));
  CHECK_FALSE(claims.is_of_another(&second, stick_at(6, "", "B")));
}
