#include "client/status_rows.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop::client;
using namespace std::chrono_literals;
using usbloop::testing::contains;

namespace {

Event event_of(Happening what, const DeviceFacts& device) {
  Event event;
  event.what = what;
  event.device = device;
  return event;
}

const DeviceFacts kStick{"0951:1666", "0951:1666", "Data Traveler", "A", "1-2", 1, 3, false};
const DeviceFacts kEmulated{"stick,image=x", "1234:5678", "", "", "", 0, 0, true};

}  // namespace

TEST_CASE("a row tells the device, its state, the rates each way, and what it has carried") {
  StatusRows status(2);
  const std::chrono::steady_clock::time_point begin{std::chrono::hours(1)};
  status.note(0, event_of(Happening::redirecting, kStick));
  status.note(1, event_of(Happening::waits_device_unplugged, kEmulated));
  std::vector<Counters> counters(2);
  status.rows(counters, begin, 200);
  counters[0] = {1, 3'725'000ms, 1234, 5, 24'600'000, 1'000'000};
  const auto rows = status.rows(counters, begin + 2s, 200);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] ==
        "1-3 0951:1666 Data Traveler  redirected                 to VM 12.3 MB/s  from VM 0.5 MB/s  1234 transfers  "
        "5 errors  1:02:05");
  CHECK(rows[1] == "emulated 1234:5678           waiting: Device unplugged  0 transfers  0 errors  0:00:00");
  // Asked again at once, the rates are still those of the two seconds.
  CHECK(contains(status.rows(counters, begin + 2100ms, 200)[0], "to VM 12.3 MB/s"));
  CHECK(contains(status.rows(counters, begin + 4s, 200)[0], "to VM 0.0 MB/s"));
}

TEST_CASE("a row is narrower than the terminal, whatever the device calls itself") {
  StatusRows status(1);
  auto device = kStick;
  device.product = "\x1b[2J\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xff\n" + std::string(100, 'x');
  status.note(0, event_of(Happening::redirecting, device));
  const std::vector<Counters> counters(1);
  for (const std::size_t columns : {0U, 1U, 2U, 10U, 40U, 80U, 132U}) {
    CAPTURE(columns);
    const auto row = status.rows(counters, {}, columns).at(0);
    CHECK(columns_of(row) <= (columns > 0 ? columns - 1 : 0));
    for (const char byte : row) CHECK((static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f));
  }
}

TEST_CASE("text is cut at whole characters, and a wide one counts two columns") {
  CHECK(fitted("abcdef", 6) == "abcdef");
  CHECK(fitted("abcdefg", 6) == "abc...");
  CHECK(fitted("abc", 2) == "..");
  CHECK(fitted("\xe6\xbc\xa2\xe5\xad\x97", 4) == "\xe6\xbc\xa2\xe5\xad\x97");
  CHECK(fitted("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 5) == "\xe6\xbc\xa2...");
  CHECK(columns_of("a\xe6\xbc\xa2") == 3);
}
