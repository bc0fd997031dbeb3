#include "client/devices/device_policy.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

LocalDevice policy_device(std::vector<InterfaceClass> interfaces) {
  LocalDevice device;
  device.vendor = 0x46d;
  device.product = 0xc31c;
  device.place.bus = 1;
  device.place.address = 3;
  device.interfaces = std::move(interfaces);
  return device;
}

const InterfaceClass kDisk{8, 6, 0x50};
const InterfaceClass kKeys{3, 1, 1};
const InterfaceClass kPointer{3, 1, 2};

}  // namespace

TEST_CASE("a keyboard is refused unless it is forced, also as a part of a device") {
  DevicePolicy policy;
  CHECK(policy.check(policy_device({kDisk})));
  CHECK(policy.check(policy_device({kPointer})));
  const auto refused = policy.check(policy_device({kDisk, kKeys}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::denied);
  CHECK(contains(refused.error().message(), "046d:c31c"));
  CHECK(contains(refused.error().message(), "it is a keyboard"));
  CHECK(contains(refused.error().hint, "--force"));
  policy.allows_keyboard = true;
  CHECK(policy.check(policy_device({kKeys})));
}

TEST_CASE("a device has to pass the file's rules and those of the command line, whatever is forced") {
  DevicePolicy policy;
  policy.allows_keyboard = true;
  policy.config_path = "/home/me/usbredir.conf";
  REQUIRE(policy.configured.add("0x03,-1,-1,-1,0|-1,-1,-1,-1,1"));
  REQUIRE(policy.given.add("0x03,-1,-1,-1,1"));
  const auto by_file = policy.check(policy_device({kKeys}));
  REQUIRE_FALSE(by_file);
  CHECK(contains(by_file.error().message(), "the filter rule 0x03,-1,-1,-1,0 refuses it"));
  CHECK(contains(by_file.error().hint, "/home/me/usbredir.conf"));
  const auto by_line = policy.check(policy_device({kDisk}));
  REQUIRE_FALSE(by_line);
  CHECK(contains(by_line.error().message(), "no filter rule allows it"));
  CHECK(contains(by_line.error().hint, "--filter"));
}
