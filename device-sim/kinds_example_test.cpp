// The thermometer of docs/devices.md: its class is cut out of the page (CMakeLists.txt).
#include <doctest/doctest.h>

#include "common/test_text.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/example/thermometer.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::device_sim::test::DeviceRig;
using usbloop::device_sim::test::Reply;

namespace {

std::string text_of(const std::vector<Reply>& replies) {
  REQUIRE(replies.size() == 1);
  std::string text;
  for (const std::byte byte : replies.front().data) text += static_cast<char>(byte);
  return text;
}

}  // namespace

TEST_CASE("the page's own kind of device says a line each second, in the unit that the guest asks for") {
  static Time now = Time{} + std::chrono::seconds(10);
  DeviceRig rig(*make_thermometer({"thermometer", {}}, std::nullopt), [] { return now; });
  rig.configure();

  CHECK(text_of(rig.bulk_in(Thermometer::kIn, 64)) == "21.5 C\r\n");
  CHECK(rig.bulk_in(Thermometer::kIn, 64).empty());
  CHECK(int{rig.control_out(0x40, Thermometer::kSetUnit, 'F', 0).status} == usb_redir_success);
  CHECK(rig.answers().size() == 1);
  now += std::chrono::seconds(1);
  rig.host->look();
  CHECK(text_of(rig.answers()) == "70.7 F\r\n");

  CHECK(int{rig.control_out(0x40, Thermometer::kSetUnit, 'K', 0).status} == usb_redir_stall);
  CHECK(int{rig.control_in(0xc0, Thermometer::kSetUnit, 'C', 0, 1).status} == usb_redir_stall);
}
