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

TEST_CASE("a time in Kubernetes' form is the same as with an offset, on every day and beyond the calendar") {
  const auto same = [](const std::string& text) {
    CAPTURE(text);
    return parse_time(text + "Z") == parse_time(text + "+00:00") && parse_time(text + "Z").has_value();
  };
  constexpr std::int64_t kDay = 86'400;
  for (std::int64_t day = -30'000; day < 60'000; day += 13) {
    const std::int64_t seconds = day * kDay + 45'296;
    const std::string text = format_time(seconds);
    CHECK(parse_time(text) == seconds);
    CHECK(same(text.substr(0, text.size() - 1)));
  }
  for (const char* odd : {"2026-02-30T23:59:60", "2024-02-29T00:00:00", "2026-01-00T24:00:00", "2026-13-01T00:00:00",
                          "2026-00-10T00:00:00", "0000-01-01T00:00:00", "9999-12-31T23:59:59"}) {
    CHECK(same(odd));
  }
}
