#include "client/duration.h"

#include <doctest/doctest.h>

using namespace usbloop::client;
using namespace std::chrono_literals;

TEST_CASE("durations are read as kubectl's") {
  CHECK(parse_duration("0") == 0ms);
  CHECK(parse_duration("30") == 30s);
  CHECK(parse_duration("30s") == 30s);
  CHECK(parse_duration("1m30s") == 90s);
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("2h") == 2h);
  for (const char* wrong : {"", "s", "-1", "-1s", "1x", "1s30", "1.5s", " 1s", "1s ", "99999999999s", "4294967295h"}) {
    CHECK_MESSAGE(!parse_duration(wrong), wrong);
  }
}
