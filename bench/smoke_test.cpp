// Each benchmark with a few messages: that it works and what its JSON holds, so that it cannot rot unseen.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
using nlohmann::json;

namespace {

/// Runs it and returns what it printed, once it has ended with 0. Nothing may be left in its directory.
json run_bench(std::vector<std::string> arguments) {
  const CaseDir dir;
  arguments.insert(arguments.begin(), USBLOOP_BENCH);
  const std::string tmp = dir.subdir("tmp");
  Process bench({.name = "bench", .argv = std::move(arguments), .log_dir = dir.path(), .env = {{"TMPDIR", tmp}}});
  const ExitStatus status = bench.wait_exit(150s);
  REQUIRE_MESSAGE(status.code == 0, bench.err());
  CHECK(std::filesystem::is_empty(tmp));
  const json printed = json::parse(bench.out(), nullptr, false);
  REQUIRE_MESSAGE(printed.is_object(), bench.out());
  return printed;
}

void check_ratios(const json& printed, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    CAPTURE(name);
    REQUIRE(printed.at("ratios").contains(name));
    CHECK(printed.at("ratios").at(name).get<double>() > 0);
  }
}

}  // namespace

TEST_CASE("bench relay measures every road and prints its ratios as JSON") {
  const json printed = run_bench({"relay", "--smoke", "--json"});
  check_ratios(printed, {"latency_64", "latency_16384", "latency_131072", "stream_up", "stream_down", "cpu_per_gib"});
  for (const char* mode : {"unpinned", "pinned"}) {
    for (const char* road : {"direct", "tcp", "floor", "ours", "ours_plain"}) {
      CAPTURE(road);
      const json& results = printed.at("results").at(mode);
      for (const char* size : {"64", "512", "16384", "131072", "1048576"}) {
        CHECK(results.at(size).at(road).at("p99_us").at("median").get<double>() > 0);
      }
      for (const char* way : {"up", "down"}) {
        CHECK(results.at(way).at(road).at("mb_per_s").at("median").get<double>() > 0);
      }
    }
  }
}

TEST_CASE("bench scale opens its sessions and prints slopes, growth and ratios as JSON") {
  const json printed = run_bench({"scale", "--smoke", "--json"});
  check_ratios(printed, {"scale_round_trips", "scale_p99", "greedy_p99"});
  CHECK(printed.at("stages").size() == 3);
  CHECK(printed.at("kib_per_session").at("idle").contains("together"));
  CHECK(printed.at("growth").contains("memory_idle"));
}

TEST_CASE("bench api fills its servers and prints figures, growth and slopes as JSON") {
  const json printed = run_bench({"api", "--smoke", "--json"});
  check_ratios(printed, {"settled_per_second", "get_p50_us", "get_p99_us", "last_p50_ms", "event_p99_ms"});
  REQUIRE(printed.at("stages").size() == 3);
  REQUIRE(printed.at("by_watchers").size() == 3);
  for (const json& stage : printed.at("stages")) {
    for (const char* figure : {"created_per_second", "list_ms", "list_mib", "pages_ms", "table_ms", "get_p99_us",
                               "restart_ms", "settled_kib", "events_per_second", "last_p50_ms"}) {
      CAPTURE(figure);
      CHECK(stage.at(figure).at("median").get<double>() > 0);
      CHECK(printed.at("growth").contains(figure));
    }
  }
  CHECK(printed.at("stages").back().at("vmis") == 8);
  CHECK(printed.at("by_watchers").back().at("watchers") == 4);
  CHECK(printed.at("growth_with_watchers").contains("last_p50_ms"));
  CHECK(printed.at("kib_per_vmi").contains("settled"));
}

TEST_CASE("bench devices reads, writes, streams and waits, and prints its ratios as JSON") {
  const json printed = run_bench({"devices", "--smoke", "--json"});
  check_ratios(printed, {"stick_read", "stick_write", "ssd_read", "ssd_write"});
  for (const json& camera : printed.at("cameras")) {
    CHECK(camera.at("pictures_per_second").at("median").get<double>() > 0);
    CHECK(camera.at("share_of_core").at("median").get<double>() > 0);
  }
  CHECK(printed.at("cameras").size() == 3);
  CHECK(printed.at("idle").size() == 10);
}

TEST_CASE("bench ends cleanly on Ctrl-C") {
  const CaseDir dir;
  const std::string tmp = dir.subdir("tmp");
  Process bench({.name = "bench", .argv = {USBLOOP_BENCH, "relay"}, .log_dir = dir.path(), .env = {{"TMPDIR", tmp}}});
  bench.wait_err("round 1 of", 60s);
  bench.signal(SIGINT);
  CHECK(bench.wait_exit(20s).code == 128 + SIGINT);
  CHECK(std::filesystem::is_empty(tmp));
}
