#include "device-sim/kinds.h"

#include <doctest/doctest.h>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "device-sim/storage/stick.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using testing::TempDir;
using usbloop::testing::contains;

namespace {

Error refusal(const std::string& spec, std::optional<UsbId> id = std::nullopt) {
  const auto made = make_host_end(spec, id);
  REQUIRE_FALSE(made);
  return made.error();
}

}  // namespace

TEST_CASE("what the description leaves open has defaults") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  const auto plain = make_host_end("stick,image=" + image);
  REQUIRE(plain);
  CHECK((*plain)->device().id() == "0951:1666");
  CHECK((*plain)->device().speed == usbredir::Speed::high);
  CHECK((*plain)->device().serial == serial_for(image));
  CHECK((*plain)->device().serial.size() == 24);
}

TEST_CASE("an SSD has its own defaults, and no full speed") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  {
    const auto plain = make_host_end("ssd,image=" + image);
    REQUIRE(plain);
    CHECK((*plain)->device().id() == "0781:55ae");
    CHECK((*plain)->device().speed == usbredir::Speed::super);
  }
  CHECK(make_host_end("ssd,image=" + image + ",speed=high"));
  const Error refused = refusal("ssd,speed=full,image=" + image);
  CHECK(contains(refused.message(), "speed=full is not a speed of this device"));
  CHECK(contains(refused.hint, "high (480 Mbit/s) or super"));
  CHECK(contains(refusal("ssd").hint, "ssd,image=disk.img"));
}

TEST_CASE("the id of the description goes before the one of the command line") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  {
    const auto given = make_host_end("stick,image=" + image, UsbId{0x1234, 0x5678});
    REQUIRE(given);
    CHECK((*given)->device().id() == "1234:5678");
  }
  const auto own = make_host_end("stick,image=" + image + ",id=abcd:1,speed=full,serial=X1", UsbId{0x1234, 0x5678});
  REQUIRE(own);
  CHECK((*own)->device().id() == "abcd:0001");
  CHECK((*own)->device().speed == usbredir::Speed::full);
  CHECK((*own)->device().serial == "X1");
}

TEST_CASE("serial numbers differ from image to image and stay the same for one") {
  CHECK(serial_for("/tmp/a.img") != serial_for("/tmp/b.img"));
  CHECK(serial_for("/tmp/a.img") == serial_for("/tmp/./a.img"));
}

TEST_CASE("mistakes in the description are named") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  CHECK(contains(refusal("webcam2").hint, "stick"));
  CHECK(contains(refusal("hub").cause, "usbredir carries one device and has no hubs"));
  CHECK(contains(refusal("stick").cause, "image= is missing"));
  CHECK(contains(refusal("stick,image=" + image + ",colour=red").cause, "no option 'colour'"));
  CHECK(contains(refusal("stick,image=" + image + ",speed=low").cause, "speed=low"));
  CHECK(contains(refusal("stick,image=" + image + ",speed=warp").cause, "speed=warp"));
  CHECK(contains(refusal("stick,image=" + image + ",id=0951").cause, "id=0951"));
  CHECK(contains(refusal("stick,image=" + image + ",serial=a b").cause, "serial="));
  CHECK(contains(refusal("stick,image=" + image + ",serial=" + std::string(127, 'a')).cause, "serial="));
  CHECK(contains(refusal("stick,image=" + image + ",ro=yes").cause, "ro takes no value"));
}
