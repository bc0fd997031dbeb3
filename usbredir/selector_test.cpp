#include "usbredir/selector.h"

#include <doctest/doctest.h>

using namespace usbloop;
using namespace usbloop::usbredir;

TEST_CASE("vendor and product are hexadecimal with one to four digits") {
  CHECK(parse_selector("0951:1666") == Selector(VendorProduct{0x0951, 0x1666}));
  CHECK(parse_selector("951:1") == Selector(VendorProduct{0x951, 1}));
  CHECK(parse_selector("aBcD:FfFf") == Selector(VendorProduct{0xabcd, 0xffff}));
  CHECK(parse_selector("0:0") == Selector(VendorProduct{0, 0}));
}

TEST_CASE("bus and device are decimal, with or without leading zeros") {
  CHECK(parse_selector("1-3") == Selector(BusDevice{1, 3}));
  CHECK(parse_selector("01-03") == Selector(BusDevice{1, 3}));
  CHECK(parse_selector("001-010") == Selector(BusDevice{1, 10}));
  CHECK(parse_selector("255-127") == Selector(BusDevice{255, 127}));
}

TEST_CASE("three decimal digits on both sides of a colon are lsusb's bus and device, all else there are ids") {
  CHECK(parse_selector("001:003") == Selector(BusDevice{1, 3}));
  CHECK(parse_selector("255:127") == Selector(BusDevice{255, 127}));
  CHECK(parse_selector("0001:0003") == Selector(VendorProduct{1, 3}));
  CHECK(parse_selector("1:3") == Selector(VendorProduct{1, 3}));
  CHECK(parse_selector("951:166") == Selector(VendorProduct{0x951, 0x166}));  // there is no bus 951
  CHECK(parse_selector("001:00a") == Selector(VendorProduct{1, 0xa}));
  CHECK(parse_selector("001:128") == Selector(VendorProduct{1, 0x128}));
  CHECK(parse_selector("000:003") == Selector(VendorProduct{0, 3}));
}

TEST_CASE("a port is named by port=, or by a path with a dot, which no device number has") {
  CHECK(parse_selector("port=1-2") == Selector(PortPath{"1-2"}));
  CHECK(parse_selector("port=01-02.03") == Selector(PortPath{"1-2.3"}));
  CHECK(parse_selector("1-2.3") == Selector(PortPath{"1-2.3"}));
  CHECK(parse_selector("3-1.4.4.4.4.4.1") == Selector(PortPath{"3-1.4.4.4.4.4.1"}));
  CHECK(parse_selector("1-2") == Selector(BusDevice{1, 2}));
}

TEST_CASE("a serial number is taken as it is") {
  CHECK(parse_selector("serial=60A4:4C-1.2 x") == Selector(SerialNumber{"60A4:4C-1.2 x"}));
}

TEST_CASE("a selector is printed as lsusb prints the numbers") {
  CHECK(to_string(VendorProduct{0x951, 1}) == "0951:0001");
  CHECK(to_string(BusDevice{1, 12}) == "1-12");
  CHECK(to_string(PortPath{"1-2"}) == "port=1-2");
  CHECK(to_string(SerialNumber{"A"}) == "serial=A");
}

TEST_CASE("each malformed selector says what is wrong with it") {
  struct Case {
    const char* text;
    const char* cause;
  };
  const Case cases[] = {
      {"", "it is empty"},
      {"stick", "it has neither a colon nor a dash"},
      {":1666", "the vendor id before the colon is missing"},
      {"0951:", "the product id after the colon is missing"},
      {"09511:1666", "the vendor id is not one to four hexadecimal digits"},
      {"0951:1666:1", "the product id is not one to four hexadecimal digits"},
      {"0951:16 6", "the product id is not one to four hexadecimal digits"},
      {"-951:1666", "the vendor id is not one to four hexadecimal digits"},
      {"095g:1666", "the vendor id is not one to four hexadecimal digits"},
      {"0x951:0x1666", "the numbers are hexadecimal already"},
      {"1-", "the device after the dash is not a number from 1 to 127"},
      {"-1", "the bus before the dash is not a number from 1 to 255"},
      {"1-2-3", "the device after the dash is not a number from 1 to 127"},
      {"0-1", "the bus before the dash is not a number from 1 to 255"},
      {"1-0", "the device after the dash is not a number from 1 to 127"},
      {"1-128", "the device after the dash is not a number from 1 to 127"},
      {"256-1", "the bus before the dash is not a number from 1 to 255"},
      {"1--3", "the device after the dash is not a number from 1 to 127"},
      {"port=", "this is no port path: BUS-PORT, then .PORT for each hub"},
      {"port=1", "this is no port path: BUS-PORT, then .PORT for each hub"},
      {"port=usb1", "this is no port path: BUS-PORT, then .PORT for each hub"},
      {"port=1-0", "this is no port path: BUS-PORT, then .PORT for each hub"},
      {"1-1.", "this is no port path: BUS-PORT, then .PORT for each hub"},
      {"1-1.2.3.4.5.6.7.8", "this is no port path: BUS-PORT, then .PORT for each hub"},
      {"serial=", "the serial number is empty"},
      {"/dev/bus/usb/001/003", "device nodes are not taken"},
  };
  for (const auto& [text, cause] : cases) {
    const auto selector = parse_selector(text);
    REQUIRE_MESSAGE(!selector, text);
    CHECK(selector.error().kind == ErrorKind::invalid);
    CHECK(selector.error().cause == cause);
    CHECK_FALSE(selector.error().hint.empty());
  }
}

TEST_CASE("a very long selector is not printed in full") {
  const auto selector = parse_selector(std::string(100'000, 'x'));
  REQUIRE(!selector);
  CHECK(selector.error().message().size() < 200);
}
