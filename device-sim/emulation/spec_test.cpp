#include "device-sim/emulation/spec.h"

#include <doctest/doctest.h>

using namespace usbloop;
using namespace usbloop::device_sim;

TEST_CASE("a description is split at commas, and a doubled comma stands for itself") {
  const auto spec = parse_spec("stick,image=/a,,b.img,ro,speed=super");
  REQUIRE(spec);
  CHECK(spec->kind == "stick");
  CHECK(spec->options.at("image") == "/a,b.img");
  CHECK(spec->options.at("speed") == "super");
  CHECK(spec->options.at("ro").empty());
  CHECK(parse_spec("stick,image=a=b")->options.at("image") == "a=b");
  CHECK_FALSE(parse_spec(""));
  CHECK_FALSE(parse_spec("stick,"));
  CHECK_FALSE(parse_spec("stick,image="));
  CHECK_FALSE(parse_spec("stick,=x"));
  CHECK_FALSE(parse_spec("stick,ro,ro"));
}

TEST_CASE("USB ids are two hexadecimal numbers of up to four digits") {
  REQUIRE(parse_usb_id("0951:1666"));
  CHECK(parse_usb_id("0951:1666")->vendor == 0x951);
  CHECK(parse_usb_id("951:ABCD")->product == 0xabcd);
  for (const char* text : {"", ":", "0951", "0951:", ":1666", "0951:1666:1", "09510:1666", "0x51:1666", "0951:166g",
                           "-951:1666", " 951:1666", "0951:1666 "}) {
    CHECK_MESSAGE(!parse_usb_id(text), text);
  }
}
