// Every row of docs/errors.md: the situation is made, and the real client says the message and the cure and ends with
// the status. A row that nothing makes fails, and so does a situation that has no row.
#include <doctest/doctest.h>

#include <iostream>
#include <set>

#include "e2e/errors/desk.h"
#include "e2e/errors/error_table.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;

TEST_CASE("each error of docs/errors.md is told with its cure, and ends with its status") {
  if (!on_path("umockdev-run")) {
    skip_case("umockdev-run is not installed (package umockdev)");
    return;
  }
  Situations situations;
  add_device_situations(situations);
  add_command_situations(situations);
  add_connection_situations(situations);
  add_cluster_situations(situations);
  add_running_situations(situations);
  const auto rows = read_error_table(USBLOOP_ERRORS_DOC);
  REQUIRE_FALSE(rows.empty());
  Desk desk;
  // For whoever works on one of them.
  const char* only = std::getenv("USBLOOP_ONLY_ERROR");
  std::set<std::string> seen;
  for (const ErrorRow& row : rows) {
    CAPTURE(row.situation);
    CHECK_MESSAGE(seen.insert(row.situation).second, "two rows have this situation");
    const auto make = situations.find(row.situation);
    CHECK_MESSAGE(make != situations.end(), "nothing makes this situation");
    if (make == situations.end() || (only != nullptr && row.situation != only)) continue;
    const Stopwatch watch;
    const Outcome outcome = make->second(desk);
    std::cout << watch.elapsed().count() << " ms: " << row.situation << std::endl;
    INFO("the client: ", outcome.said);
    CHECK_MESSAGE(says(outcome.said, row.message), "it does not say: " << row.message);
    CHECK_MESSAGE(says(outcome.said, row.cure), "it does not name the cure: " << row.cure);
    CHECK(outcome.status == row.status);
  }
  for (const auto& [situation, make] : situations) {
    CHECK_MESSAGE(seen.contains(situation), "docs/errors.md has no row for: " << situation);
  }
}

TEST_CASE("the table's reader finds the pieces of a message in their order, and no others") {
  CHECK(says("cannot open device 1-3 (0951:1666)\n  at /dev: Permission denied", "cannot open device … at /dev:"));
  CHECK_FALSE(says("cannot open it", "it … cannot"));
  CHECK_FALSE(says("cannot open it", "cannot close"));
}
