// The benchmark with a real guest, as short as it gets.
#include <doctest/doctest.h>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/process.h"

using namespace usbloop::e2e;

TEST_CASE("bench distance reads and writes a stick of a far client by both transports") {
  const CaseDir dir;
  const std::string tmp = dir.subdir("tmp");
  Process bench({.name = "bench",
                 .argv = {USBLOOP_BENCH, "distance", "--smoke", "--json"},
                 .log_dir = dir.path(),
                 .env = {{"TMPDIR", tmp}}});
  const ExitStatus status = bench.wait_exit(150s);
  REQUIRE_MESSAGE(status.code == 0, bench.err());
  CHECK(bench.out().find("\"distance_high_20_ms_read\"") != std::string::npos);
  CHECK(bench.out().find("\"distance_high_0_ms_write\"") != std::string::npos);
  CHECK(std::filesystem::is_empty(tmp));
}

TEST_CASE("bench guest reads a stick both ways and prints the ratios") {
  const CaseDir dir;
  const std::string tmp = dir.subdir("tmp");
  Process bench({.name = "bench",
                 .argv = {USBLOOP_BENCH, "guest", "--smoke", "--json"},
                 .log_dir = dir.path(),
                 .env = {{"TMPDIR", tmp}}});
  const ExitStatus status = bench.wait_exit(150s);
  REQUIRE_MESSAGE(status.code == 0, bench.err());
  CHECK(bench.out().find("\"guest_high\"") != std::string::npos);
  CHECK(bench.out().find("\"guest_super\"") != std::string::npos);
  CHECK(std::filesystem::is_empty(tmp));
}

TEST_CASE("bench guest --unplug pulls a stick out of a machine and says how long that took") {
  const CaseDir dir;
  const std::string tmp = dir.subdir("tmp");
  Process bench({.name = "bench",
                 .argv = {USBLOOP_BENCH, "guest", "--unplug", "--smoke", "--json"},
                 .log_dir = dir.path(),
                 .env = {{"TMPDIR", tmp}}});
  const ExitStatus status = bench.wait_exit(150s);
  REQUIRE_MESSAGE(status.code == 0, bench.err());
  CHECK(bench.out().find("\"unplug_ms\"") != std::string::npos);
  CHECK(std::filesystem::is_empty(tmp));
}
