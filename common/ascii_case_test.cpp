#include "common/ascii_case.h"

#include <doctest/doctest.h>

namespace usbloop {
namespace {

TEST_CASE("ascii_case: only the letters of ASCII change") {
  CHECK(lower_case(std::string_view("Content-TYPE: [@`{]")) == "content-type: [@`{]");
  CHECK(lower_case(std::string_view("\xC3\x84\xFFZ")) == "\xC3\x84\xFFz");
  CHECK(lower_case(std::string_view()).empty());
}

TEST_CASE("ascii_case: names are equal whatever their case, and only as a whole") {
  CHECK(equal_ignoring_case("Upgrade", "uPGRADE"));
  CHECK(equal_ignoring_case("", ""));
  CHECK_FALSE(equal_ignoring_case("Upgrade", "Upgrades"));
  CHECK_FALSE(equal_ignoring_case("Upgrades", "Upgrade"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));  // as far apart as a letter's two cases
}

}  // namespace
}  // namespace usbloop
