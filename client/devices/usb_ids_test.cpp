#include "client/devices/usb_ids.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace usbloop::client;

namespace {

// Made up, in the formats of the two lists.
constexpr const char* kUsbIds =
    "# a comment\n"
    "\n"
    "0951  Works of Sticks\n"
    "\t1666  Fast Stick\n"
    "\t\t01  its interface\n"
    "\t1667  Slow Stick\n"
    "0952  Another Maker\n"
    "\t1666  Another Thing\n"
    "abcd  Letters\n"
    "\tzzzz  not a number\n"
    "C 03  A class\n"
    "\t1666  no product\n";

constexpr const char* kHwdb =
    "usb:v0951*\n"
    " ID_VENDOR_FROM_DATABASE=Works of Sticks\n"
    "\n"
    "usb:v0951p1666*\n"
    " ID_MODEL_FROM_DATABASE=Fast Stick\n"
    "\n"
    "usb:v*p*d*dc03*\n"
    " ID_USB_CLASS_FROM_DATABASE=A class\n"
    "usb:v09\n"
    " ID_VENDOR_FROM_DATABASE=cut off\n";

const std::set<UsbIds::Id> kWanted = {{0x0951, 0x1666}, {0x0952, 0x1666}, {0xabcd, 0x0001}};

}  // namespace

TEST_CASE("usb.ids: vendors, and products of their own vendor") {
  std::istringstream list(kUsbIds);
  const auto ids = UsbIds::from_usb_ids(list, kWanted);
  CHECK(ids.vendor(0x0951) == "Works of Sticks");
  CHECK(ids.product(0x0951, 0x1666) == "Fast Stick");
  CHECK(ids.vendor(0x0952) == "Another Maker");
  CHECK(ids.product(0x0952, 0x1666) == "Another Thing");
  CHECK(ids.vendor(0xabcd) == "Letters");
  CHECK(ids.product(0xabcd, 0x0001).empty());
  CHECK(ids.vendor(0x1234).empty());
  CHECK(ids.product(0x0951, 0x1667).empty());  // nobody wanted it
}

TEST_CASE("udev's list: the same names") {
  std::istringstream list(kHwdb);
  const auto ids = UsbIds::from_hwdb(list, kWanted);
  CHECK(ids.vendor(0x0951) == "Works of Sticks");
  CHECK(ids.product(0x0951, 0x1666) == "Fast Stick");
  CHECK(ids.vendor(0x0952).empty());
}

TEST_CASE("a list that is no text gives no names, and a name is cut") {
  std::istringstream noise(std::string("\0\xff\n0951\n0951 x\n\t\n", 15));
  CHECK(UsbIds::from_usb_ids(noise, kWanted).vendor(0x0951).empty());
  std::istringstream endless("0951  " + std::string(1'000'000, 'x'));
  CHECK(UsbIds::from_usb_ids(endless, kWanted).vendor(0x0951).size() == 256);
}
