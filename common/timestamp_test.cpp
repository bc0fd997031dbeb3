#include "common/timestamp.h"

#include <doctest/doctest.h>

using namespace usbloop;

TEST_CASE("times and ages are written as kubectl writes them") {
  CHECK(format_time(0) == "1970-01-01T00:00:00Z");
  CHECK(parse_time("2026-11-24T01:02:03Z") == parse_time("2026-11-24T02:02:03.5+01:00"));
  for (const char* bad : {"", "x", "2026-11-24", "2026-11-24T01:02:03", "2026-11-24T01:02:03Zx"}) {
    CHECK_FALSE(parse_time(bad).has_value());
  }
  struct Case {
    std::int64_t seconds;
    const char* text;
  };
  for (const Case& entry : {Case{0, "0s"}, Case{119, "119s"}, Case{120, "2m"}, Case{200, "3m20s"}, Case{600, "10m"},
                            Case{10800, "3h"}, Case{11460, "3h11m"}, Case{28800, "8h"}, Case{172800, "2d"},
                            Case{176400, "2d1h"}, Case{691200, "8d"}, Case{63072000, "2y"}, Case{-5, "<invalid>"}}) {
    CHECK(human_duration(entry.seconds) == entry.text);
  }
}
