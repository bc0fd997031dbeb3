#include "launcher-sim/power_button.h"

#include <doctest/doctest.h>

using usbloop::launcher::power_button_enabled;

TEST_CASE("the power button is listened for when its bit stands in the register, and the register is there") {
  CHECK(power_button_enabled("portw[0x0602] = 0x0120\r\n") == true);
  CHECK(power_button_enabled("portw[0x0602] = 0x0100\r\n") == true);
  CHECK(power_button_enabled("portw[0x0602] = 0x0020\r\n") == false);
  CHECK(power_button_enabled("portw[0x0602] = 0x0000\r\n") == false);
  CHECK(power_button_enabled("portw[0x0602] = 0xffff\r\n") == false);
}

TEST_CASE("an answer of another kind says nothing") {
  for (const char* text : {"", "unknown command: 'i'", "portw[0x0602] = ", "portw[0x0602] = 0x", "portw[0x0602] = 0xzz",
                           "portw[0x0602] = 0x99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(power_button_enabled(text).has_value());
  }
}
