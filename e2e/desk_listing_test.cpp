// The client's list, and ctl, at the desk of the examples.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "e2e/desk_rig.h"

using namespace usbloop::e2e;

namespace {

constexpr const char* kPage =
    "Bus 002 Device 008: ID 0951:1666 Kingston Technology DataTraveler 100 G3/G4/SE9 G2/50\n"
    "Bus 001 Device 003: ID 13d3:5406 IMC Networks Integrated Camera\n"
    "Bus 001 Device 010: ID 0781:55ae SanDisk Corp. Extreme 55AE\n";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the client lists the desk as KubeVirt's page does, and --watch sees who is pulled out and comes back") {
  const CaseDir dir;
  PageDesk desk(dir);
  CHECK(run_client(dir, "list", {"list"}, desk.env()).out == kPage);
  // By its file as well as by the variable.
  std::map<std::string, std::string> env = desk.env();
  env["USBLOOP_DESK"] = "";
  CHECK(run_client(dir, "by-file", {"--desk", desk.file(), "list"}, env).out == kPage);
  const auto wide = run_client(dir, "wide", {"list", "-o", "wide"}, desk.env()).out;
  for (const char* part : {"2-8 ", "super", "video", "mass storage", "1-10", "yes"})
    CHECK_MESSAGE(has(wide, part), wide);

  Process watching = start_client(dir, "watch", {"list", "--watch"}, desk.env());
  watching.wait_out("Extreme 55AE\n", 10s);
  CHECK(has(desk.ctl({"unplug", "01-03"}), "camera is unplugged"));
  watching.wait_out("\n- Bus 001 Device 003: ID 13d3:5406 IMC Networks Integrated Camera\n", 10s);
  CHECK(run_client(dir, "without", {"list"}, desk.env()).out.find("5406") == std::string::npos);
  desk.ctl({"plug", "camera"});
  watching.wait_out("\n\\+ Bus 001 Device 003: ID 13d3:5406 IMC Networks Integrated Camera\n", 10s);
  desk.ctl({"replug", "stick"});
  watching.wait_out("\n- Bus 002 Device 008[^\n]*\n\\+ Bus 002 Device 008", 10s);
  desk.stop();
  CHECK(watching.wait_exit(10s).code == 1);
  CHECK_MESSAGE(has(watching.err(), "it is not running"), watching.err());
}

TEST_CASE("ctl says what it did, what it could not do, and what programs need") {
  const CaseDir dir;
  PageDesk desk(dir);
  const auto list = desk.ctl({"list"});
  for (const char* part : {"stick", "2-8", "13d3:5406", "plugged in"}) CHECK_MESSAGE(has(list, part), list);
  const auto one = nlohmann::json::parse(desk.ctl({"-o", "json", "list", "ssd"}));
  CHECK(one["devices"].size() == 1);
  CHECK(one["devices"][0]["device"] == 10);
  CHECK(one["devices"][0]["counters"]["redirections"] == 0);
  CHECK(nlohmann::json::parse(desk.ctl({"unplug", "ssd", "-o", "json"}))["devices"][0]["plugged"] == false);
  CHECK(has(desk.ctl({"unplug", "ssd"}, 1), "it is not plugged in"));
  CHECK(has(desk.ctl({"unplug", "tablet"}, 1), "The desk has:"));
  CHECK(has(desk.ctl({"type", "stick", "x"}, 1), "it cannot do that"));
  CHECK(has(desk.ctl({"press", "stick", "f1"}, 1), "it cannot do that"));
  CHECK(has(desk.ctl({"attach", "stick", "none.img"}, 1), "none.img"));
  CHECK(has(desk.ctl({"dance"}, 2), "--help"));
  CHECK(has(desk.ctl({"counters"}), "BYTES-OUT"));
  write_file(dir.path() / "other.img", std::string(1 << 20, 'o'));
  CHECK(has(desk.ctl({"attach", "stick", (dir.path() / "other.img").string()}), "stick"));
  CHECK(nlohmann::json::parse(desk.ctl({"-o", "json", "list", "stick"}))["devices"][0]["arrivals"] == 2);
  CHECK(has(desk.ctl({"eject", "stick"}), "stick"));
  CHECK(has(desk.ctl({"load", "stick"}), "stick"));
  CHECK(has(desk.ctl({"fault", "stick", "medium-error:block=99999999"}, 1), "block"));
  CHECK(has(desk.ctl({"fault", "stick", "slow:latency=5"}), "stick"));
  CHECK(has(desk.ctl({"repair", "stick"}), "stick"));
  desk.stop();
  const auto late = desk.ctl({"list"}, 1);
  CHECK_MESSAGE(has(late, "device-sim desk "), late);
  const auto client = run_client(dir, "late", {"0951:1666", "vm"}, desk.env());
  CHECK(client.status.code == 1);
  CHECK_MESSAGE(has(client.err, "it is not running"), client.err);
  desk.start();
  CHECK(has(desk.ctl({"list"}), "2-8"));
}
