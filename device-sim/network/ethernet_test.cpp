#include "device-sim/network/ethernet.h"

#include <doctest/doctest.h>

using namespace usbloop::network;

TEST_CASE("the address of an adapter is read, and nothing else is") {
  CHECK(parse_mac("02:00:5e:10:00:01") == MacAddress{2, 0, 0x5e, 0x10, 0, 1});
  CHECK(parse_mac("FE:ff:FF:ff:ff:ff") == MacAddress{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff});
  for (const char* wrong :
       {"", "02:00:5e:10:00", "02:00:5e:10:00:01:", "02-00-5e-10-00-01", "02:00:5e:10:00:0g", "2:00:5e:10:00:001",
        "+2:00:5e:10:00:01", "01:00:5e:10:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_mac(wrong));
  }
}

TEST_CASE("an address that is made up belongs to nobody, and is the same for the same text") {
  const MacAddress one = made_up_mac("USBLOOP01");
  CHECK(one == made_up_mac("USBLOOP01"));
  CHECK(one != made_up_mac("USBLOOP02"));
  CHECK(one[0] == 2);  // locally administered, of one adapter
  CHECK(mac_digits({0x02, 0, 0x5e, 0xab, 0xcd, 0xef}) == "02005EABCDEF");
}
