#include <doctest/doctest.h>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/process.h"

using usbloop::e2e::CaseDir;
using usbloop::e2e::Process;
using namespace std::chrono_literals;

// This case fails on purpose: a check that does not hold, and a grandchild that outlives its parent.
TEST_CASE("a broken promise and a process left behind fail the case") {
  const CaseDir dir;
  Process process({.name = "careless",
                   .argv = {"sh", "-c", "echo these words are in the log; sleep 1000 & echo started >&2"},
                   .log_dir = dir.path()});
  process.wait_exit(10s);
  CHECK_MESSAGE(false, "a promise that does not hold");
}
