#include "client/diagnosis.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace usbloop;
using namespace usbloop::client;

namespace {

Diagnosis example() {
  Diagnosis diagnosis;
  diagnosis.ok("device", "0951:1666 at 1-3");
  diagnosis.failed("rights", "you may not", "Ask for the right.\nOr for another account.");
  diagnosis.not_checked("slot", "the step \"rights\" stands in the way");
  return diagnosis;
}

}  // namespace

TEST_CASE("each step is a line, with its cure below it") {
  CHECK(render_lines(example()) ==
        "ok           device       0951:1666 at 1-3\n"
        "failed       rights       you may not\n"
        "                          Ask for the right.\n"
        "                          Or for another account.\n"
        "not checked  slot         the step \"rights\" stands in the way\n"
        "1 step failed.\n");
}

TEST_CASE("programs read names and statuses") {
  const auto json = nlohmann::json::parse(render_json(example()));
  CHECK(json["healthy"] == false);
  REQUIRE(json["checks"].size() == 3);
  CHECK(json["checks"][0]["name"] == "device");
  CHECK(json["checks"][0]["status"] == "ok");
  CHECK(json["checks"][1]["status"] == "failed");
  CHECK(json["checks"][1]["cure"] == "Ask for the right.\nOr for another account.");
  CHECK(json["checks"][2]["status"] == "notChecked");
}

TEST_CASE("what was not checked is neither good nor bad") {
  Diagnosis diagnosis;
  diagnosis.not_checked("driver", "an emulated device has none");
  CHECK(diagnosis.is_healthy());
  CHECK_FALSE(diagnosis.is_ok("driver"));
  CHECK_FALSE(diagnosis.has_failed("driver"));
  CHECK(render_lines(diagnosis).ends_with("Nothing stands in the way.\n"));
}

TEST_CASE("texts of others stay in their line and steer no terminal") {
  Diagnosis diagnosis;
  diagnosis.failed("tls", Error{ErrorKind::denied, "connect to", "https://x", "bad\n\x1b[31mcertificate", ""});
  CHECK(render_lines(diagnosis) == "failed       tls          https://x: bad [31mcertificate\n1 step failed.\n");
}
