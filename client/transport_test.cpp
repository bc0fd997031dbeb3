#include "client/transport.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace usbloop::client;

TEST_CASE("a transport has three names") {
  CHECK(parse_transport("auto").value() == Transport::automatic);
  CHECK(parse_transport("uas").value() == Transport::uas);
  CHECK(parse_transport("bulk-only").value() == Transport::bulk_only);
  for (const char* text : {"", "UAS", "bulkonly", "uas "}) {
    const auto refused = parse_transport(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().cause == "\"" + std::string(text) + "\" is not auto, uas or bulk-only");
  }
}

TEST_CASE("auto translates over a long way that is known, and only what can be translated") {
  CHECK(is_translated(Transport::automatic, 20ms, true));
  CHECK(is_translated(Transport::automatic, 5ms, true));
  CHECK_FALSE(is_translated(Transport::automatic, 4999us, true));
  CHECK_FALSE(is_translated(Transport::automatic, std::nullopt, true));
  CHECK_FALSE(is_translated(Transport::automatic, 20ms, false));
}

TEST_CASE("a person's word goes before the measure, and not before what is possible") {
  CHECK(is_translated(Transport::uas, std::nullopt, true));
  CHECK(is_translated(Transport::uas, 0us, true));
  CHECK_FALSE(is_translated(Transport::uas, 20ms, false));
  CHECK_FALSE(is_translated(Transport::bulk_only, 20ms, true));
}
