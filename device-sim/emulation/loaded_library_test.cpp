#include "device-sim/emulation/loaded_library.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::testing::contains;

TEST_CASE("a library that is loaded has the functions that were looked for, or an error says what is missing") {
  decltype(&::getpid) pid = nullptr;
  LoadedLibrary library("libc.so.6");
  CHECK(library.find("getpid", pid).outcome("").has_value());
  REQUIRE(static_cast<bool>(pid));
  CHECK(pid() == ::getpid());

  decltype(&::getpid) none = nullptr;
  const auto lacking = library.find("usbloop_no_such_function", none).find("getppid", pid).outcome("Install it.");
  CHECK_FALSE(static_cast<bool>(none));
  REQUIRE_FALSE(lacking);
  CHECK(lacking.error().kind == ErrorKind::unavailable);
  CHECK(contains(lacking.error().cause, "usbloop_no_such_function"));
  CHECK(lacking.error().hint == "Install it.");

  const auto missing = LoadedLibrary("libusbloop-none.so.0").find("getpid", pid).outcome("Install it.");
  CHECK_FALSE(static_cast<bool>(pid));
  REQUIRE_FALSE(missing);
  CHECK(contains(missing.error().message(), "cannot load libusbloop-none.so.0"));
}
