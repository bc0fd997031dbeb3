#include "client/event.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "client/redirection_group.h"

using namespace usbloop;
using namespace usbloop::client;
using nlohmann::json;

namespace {

Event sample(Happening what) {
  Event event;
  event.what = what;
  event.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'790'000'000'042));
  event.device = {"1-3", "0951:1666", "Stick", "AB", "1-2.3", 1, 3, false};
  event.target = {"demo", "team"};
  event.message = "one\ntwo";
  event.exit_status = 1;
  event.counters = {2, std::chrono::milliseconds(1500), 30, 4, 5000, 600};
  return event;
}

}  // namespace

TEST_CASE("an event is one line of json with the documented fields") {
  const auto line = json_line(sample(Happening::ended_device));
  CHECK(line.find('\n') == std::string::npos);
  const auto event = json::parse(line);
  CHECK(event["time"] == "2026-09-21T14:13:20.042Z");
  CHECK(event["event"] == "ended");
  CHECK(event["reason"] == "DeviceEnded");
  CHECK(event["message"] == "one\ntwo");
  CHECK(event["vmi"] == json({{"namespace", "team"}, {"name", "demo"}}));
  CHECK(event["device"] == json({{"name", "1-3"},
                                 {"id", "0951:1666"},
                                 {"product", "Stick"},
                                 {"serial", "AB"},
                                 {"emulated", false},
                                 {"bus", 1},
                                 {"device", 3},
                                 {"port", "1-2.3"}}));
  CHECK(event["exitStatus"] == 1);
  CHECK(event["counters"] == json({{"sessions", 2},
                                   {"seconds", 1.5},
                                   {"transfers", 30},
                                   {"errors", 4},
                                   {"bytesToGuest", 5000},
                                   {"bytesFromGuest", 600}}));
}

TEST_CASE("counters and status belong to ends, and only a device of a machine or a desk has a place") {
  auto event = sample(Happening::redirecting);
  event.device.emulated = true;
  CHECK(json::parse(json_line(event))["device"]["bus"] == 1);  // on a desk
  event.device.bus = 0;
  const auto fields = json::parse(json_line(event));
  CHECK_FALSE(fields.contains("exitStatus"));
  CHECK_FALSE(fields.contains("counters"));
  CHECK_FALSE(fields["device"].contains("bus"));
  CHECK(fields["device"]["emulated"] == true);
  event.what = Happening::connecting;
  event.message.clear();
  const auto first = json::parse(json_line(event));
  CHECK_FALSE(first.contains("reason"));
  CHECK_FALSE(first.contains("message"));
}

TEST_CASE("text of a device or a server neither steers a terminal nor breaks the line") {
  auto event = sample(Happening::waits_refused);
  event.device.product = "\x1b[31m\nStick\xff";
  event.device.serial = "A\x07";
  event.message = "refused: \x1b[2J\xc3\x28";
  const auto line = json_line(event);
  for (const char byte : line) CHECK((static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f));
  CHECK(json::parse(line)["device"]["serial"] == "A");
}

TEST_CASE("an error before all is an event too") {
  const auto event =
      json::parse(json_error_line({ErrorKind::not_found, "find USB device", "1-3", "gone", "Plug it in."}, 2,
                                  std::chrono::system_clock::time_point()));
  CHECK(event["event"] == "error");
  CHECK(event["message"] == "cannot find USB device 1-3: gone\nPlug it in.");
  CHECK(event["exitStatus"] == 2);
}

TEST_CASE("with several devices each line of a person's text has the device's name") {
  CHECK(plain_lines(sample(Happening::redirecting), false) == "one\ntwo");
  CHECK(plain_lines(sample(Happening::redirecting), true) == "1-3: one\n1-3: two");
  auto silent = sample(Happening::connecting);
  silent.message.clear();
  CHECK(plain_lines(silent, true).empty());
}

TEST_CASE("the table of events in docs/client.md has each event once, and no other") {
  std::multiset<std::string> documented;
  std::ifstream doc(USBLOOP_CLIENT_DOC);
  REQUIRE(doc);
  bool in_table = false;
  for (std::string line; std::getline(doc, line);) {
    if (line == "| event | reason | when |") in_table = true;
    if (in_table && line.empty()) break;
    if (!in_table || !line.starts_with("| `")) continue;
    std::istringstream cells(line);
    std::string cell;
    std::string row;
    for (int column = 0; std::getline(cells, cell, '|') && column < 3; ++column) {
      for (const char letter : cell) row += letter == '`' || letter == ' ' ? "" : std::string(1, letter);
      row += column > 0 ? "/" : "";
    }
    documented.insert(row);
  }
  std::multiset<std::string> expected{"error//"};
  for (const auto& entry : kEvents) {
    expected.insert(std::string(entry.event) + "/" + std::string(entry.reason) + "/");
    CHECK(name_of(entry.what).event == entry.event);
    CHECK(name_of(entry.what).reason == entry.reason);
  }
  CHECK(documented == expected);
}
