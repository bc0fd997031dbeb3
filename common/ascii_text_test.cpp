#include "common/ascii_text.h"

#include <doctest/doctest.h>

namespace usbloop {
namespace {

TEST_CASE("ascii_text: only the letters of ASCII change") {
  CHECK(lower_case(std::string_view("Content-TYPE: [@`{]")) == "content-type: [@`{]");
  CHECK(lower_case(std::string_view("\xC3\x84\xFFZ")) == "\xC3\x84\xFFz");
  CHECK(lower_case(std::string_view()).empty());
}

TEST_CASE("ascii_text: names are equal whatever their case, and only as a whole") {
  CHECK(equal_ignoring_case("Upgrade", "uPGRADE"));
  CHECK(equal_ignoring_case("", ""));
  CHECK_FALSE(equal_ignoring_case("Upgrade", "Upgrades"));
  CHECK_FALSE(equal_ignoring_case("Upgrades", "Upgrade"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));  // as far apart as a letter's two cases
}

TEST_CASE("ascii_text: names have an order whatever their case, bytes beyond ASCII come last") {
  CHECK(less_ignoring_case("accept", "Host"));
  CHECK(less_ignoring_case("Accept", "ACCEPT-encoding"));
  CHECK_FALSE(less_ignoring_case("Host", "hOST"));
  CHECK(less_ignoring_case("z", "\xC3"));
}

TEST_CASE("ascii_text: hexadecimal digits have a value, all else has none") {
  const std::string_view digits = "0123456789abcdefABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const auto at = digits.find(c);
    CHECK(hex_value(c) == (at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6)));
  }
}

TEST_CASE("ascii_text: only the blanks around a text go") {
  CHECK(trim(" \ta b\t ") == "a b");
  CHECK(trim(" \t").empty());
  CHECK(trim("a\n") == "a\n");
}

}  // namespace
}  // namespace usbloop
