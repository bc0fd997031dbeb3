#include "common/http/content_length.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace usbloop;

namespace {

Result<std::optional<std::uint64_t>> length_of(std::initializer_list<const char*> values) {
  http::Head head;
  head.headers.emplace_back("Content-Type", "text/plain");
  for (const char* value : values) head.headers.emplace_back("content-LENGTH", value);
  return http::content_length(head);
}

}  // namespace

TEST_CASE("a content length is digits, once or always the same") {
  const auto value_of = [](std::initializer_list<const char*> values) {
    const auto length = length_of(values);
    REQUIRE(length);
    REQUIRE(length->has_value());
    return **length;
  };
  CHECK(value_of({"0"}) == 0);
  CHECK(value_of({" 007\t"}) == 7);
  CHECK(value_of({"18446744073709551615"}) == UINT64_MAX);
  CHECK(value_of({"5", "5"}) == 5);
  const auto none = length_of({});
  REQUIRE(none);
  CHECK_FALSE(none->has_value());
}

TEST_CASE("a malformed content length is refused") {
  for (const char* bad : {"", "+5", "-5", "-0", "5 5", "5,5", "5x", "0x5", "five", "18446744073709551616",
                          "99999999999999999999999", "\v5", "1e3"}) {
    CAPTURE(bad);
    const auto length = length_of({bad});
    REQUIRE_FALSE(length);
    CHECK(length.error().kind == ErrorKind::protocol);
  }
  CHECK_FALSE(length_of({"5", "6"}));
  CHECK_FALSE(length_of({"5", ""}));
}
