#include <doctest/doctest.h>

#include "client/devices/usb_device.h"
#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

LocalDevice device(std::uint8_t bus, std::uint8_t address, std::uint16_t vendor, std::uint16_t product,
                   const std::string& name = "", bool hub = false) {
  LocalDevice info;
  info.place = {bus, address, "1"};
  info.vendor = vendor;
  info.product = product;
  info.product_name = name;
  info.hub = hub;
  return info;
}

const std::vector<LocalDevice> kDesk = {
    device(1, 1, 0x1d6b, 2, "xHCI", true),
    device(1, 3, 0x0951, 0x1666, "DataTraveler"),
    device(1, 4, 0x0627, 1, "Keyboard"),
    device(2, 4, 0x0627, 1, "Mouse"),
};

}  // namespace

TEST_CASE("a device is found by its kind and by its place") {
  CHECK(choose_device(kDesk, VendorProduct{0x0951, 0x1666}) == 1);
  CHECK(choose_device(kDesk, BusDevice{1, 4}) == 2);
  CHECK(choose_device(kDesk, BusDevice{2, 4}) == 3);
}

TEST_CASE("two devices of the same kind are refused and both are listed by place") {
  const auto index = choose_device(kDesk, VendorProduct{0x0627, 1});
  REQUIRE(!index);
  CHECK(index.error().kind == ErrorKind::conflict);
  CHECK(index.error().message() == "cannot choose between devices 0627:0001: 2 of them are plugged in");
  CHECK(contains(index.error().hint, "1-4  0627:0001  Keyboard"));
  CHECK(contains(index.error().hint, "2-4  0627:0001  Mouse"));
}

TEST_CASE("an unknown device lists what is there, without hubs") {
  const auto index = choose_device(kDesk, VendorProduct{0xdead, 0xbeef});
  REQUIRE(!index);
  CHECK(index.error().kind == ErrorKind::not_found);
  CHECK(index.error().message() == "cannot find USB device dead:beef: it is not plugged in");
  CHECK(contains(index.error().hint, "lsusb"));
  CHECK(contains(index.error().hint, "1-3  0951:1666  DataTraveler"));
  CHECK_FALSE(contains(index.error().hint, "xHCI"));
}

TEST_CASE("a long list of devices is cut") {
  std::vector<LocalDevice> many;
  for (std::uint8_t address = 2; address < 122; ++address) many.push_back(device(1, address, 1, address));
  const auto index = choose_device(many, BusDevice{9, 9});
  REQUIRE(!index);
  CHECK(contains(index.error().hint, "and 108 more"));
}

TEST_CASE("without any device the emulated one is pointed out") {
  const auto index = choose_device({device(1, 1, 0x1d6b, 2, "xHCI", true)}, BusDevice{1, 2});
  REQUIRE(!index);
  CHECK(contains(index.error().hint, "--emulate"));
}

TEST_CASE("a hub is refused") {
  const auto index = choose_device(kDesk, BusDevice{1, 1});
  REQUIRE(!index);
  CHECK(index.error().cause == "it is a hub");
}

TEST_CASE("a device is found by its port and by its serial number, which tell twins apart") {
  auto twins = kDesk;
  twins[2].place.ports = "2.3";
  twins[2].serial = "A";
  twins[3].serial = "B";
  CHECK(choose_device(twins, PortPath{"1-2.3"}) == 2);
  CHECK(choose_device(twins, PortPath{"2-1"}) == 3);
  CHECK(choose_device(twins, SerialNumber{"B"}) == 3);
  CHECK_FALSE(choose_device(twins, SerialNumber{"C"}));
  const auto both = choose_device(twins, VendorProduct{0x0627, 1});
  REQUIRE(!both);
  CHECK(contains(both.error().hint, "1-4  0627:0001  Keyboard  port=1-2.3  serial=A"));
  CHECK(contains(both.error().hint, "2-4  0627:0001  Mouse  port=2-1  serial=B"));
}

TEST_CASE("BUS-DEVICE means the very device at that address, though its twin has the other's port") {
  auto twins = kDesk;
  twins[2].place.ports = "4";
  CHECK(choose_device(twins, BusDevice{2, 4}) == 3);
  CHECK(choose_device(twins, BusDevice{1, 4}) == 2);
  CHECK_FALSE(choose_device(twins, BusDevice{2, 1}));
}
