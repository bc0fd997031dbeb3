#include "client/program_flags.h"

#include <doctest/doctest.h>

#include "client/options.h"
#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

CommandLine parse_for_program(const std::vector<std::string>& arguments, const std::string& name = "kubectl usbredir") {
  return parse_command_line(name, arguments, "usbloop 1.2.3 (abcdef0)");
}

}  // namespace

TEST_CASE("--launch takes a device, and another program than usbredirect behind an equals sign") {
  const auto line = parse_for_program({"--launch", "0951:1666", "demo"});
  REQUIRE(line.options);
  CHECK(line.options->launch == "usbredirect");
  CHECK(line.options->selectors == std::vector<Selector>{VendorProduct{0x951, 0x1666}});
  CHECK(line.options->vmi == "demo");
  CHECK(parse_for_program({"1-3", "demo", "--launch=/opt/bin/redirect"}).options->launch == "/opt/bin/redirect");
  CHECK(parse_for_program({"usbredir", "--launch", "1-3", "demo"}, "virtctl").options->launch == "usbredirect");
  CHECK(parse_for_program({"1-3", "demo"}).options->launch.empty());
}

TEST_CASE("--no-launch takes the VMI alone, and an address of this machine behind an equals sign") {
  const auto line = parse_for_program({"--no-launch", "demo"});
  REQUIRE(line.options);
  REQUIRE(line.options->listen);
  CHECK(line.options->listen->text() == "127.0.0.1:0");
  CHECK(line.options->vmi == "demo");
  for (const char* text : {"127.0.0.1:4000", "[::1]:4000", "localhost:0", "unix:/run/user/1/slot"}) {
    const auto placed = parse_for_program({std::string("--no-launch=") + text, "demo"});
    REQUIRE_MESSAGE(placed.options, placed.text);
    CHECK(placed.options->listen->text() == text);
  }
  const auto virtctl = parse_for_program({"usbredir", "demo", "--no-launch=true"}, "virtctl");
  REQUIRE(virtctl.options);
  CHECK(virtctl.options->listen->text() == "127.0.0.1:0");
  CHECK_FALSE(parse_for_program({"--no-launch=false", "1-3", "demo"}).options->listen);
}

TEST_CASE("what --launch and --no-launch cannot do is refused by name") {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"--launch", "--no-launch", "demo"}, "--launch: it contradicts --no-launch"},
      {{"--launch", "--emulate", "stick,image=a", "demo"}, "--launch: with --emulate"},
      {{"--no-launch", "--emulate", "stick,image=a", "demo"}, "--no-launch: with --emulate"},
      {{"--no-launch", "1-3", "demo"}, "there are too many"},
      {{"--no-launch"}, "the VMI is missing"},
      {{"--launch", "demo"}, "the VMI is missing after the device"},
      {{"--launch", "serial=A", "demo"}, "serial=A with --launch: usbredirect takes VENDOR:PRODUCT or BUS-DEVICE only"},
      {{"--no-launch=0.0.0.0:4000", "demo"}, "not an address of this machine alone"},
      {{"--no-launch=example.com:4000", "demo"}, "not an address of this machine alone"},
      {{"--no-launch=4000", "demo"}, "it is not HOST:PORT"},
      {{"--no-launch=unix:", "demo"}, "the path is missing"},
      {{"--launch", "--give-back", "1-3"}, "it belongs to a redirection"},
      {{"doctor", "--no-launch", "demo"}, "it belongs to a redirection"},
      {{"--launch", "--capture", "a.pcapng", "1-3", "demo"}, "--launch: --capture sees only"},
      {{"--no-launch", "--transport", "uas", "demo"}, "--no-launch: --transport is about"},
  };
  for (const auto& [arguments, expected] : cases) {
    const auto line = parse_for_program(arguments);
    CHECK_FALSE(line.options);
    CHECK(line.exit_status == 2);
    CHECK_MESSAGE(contains(line.text, expected), line.text);
  }
}

TEST_CASE("the help shows both flags as they are typed, in the columns of the others") {
  const auto help = parse_for_program({"--help"}).text;
  CHECK(contains(help, "  --launch[=PROGRAM]          Start a program"));
  CHECK(contains(help, "  --no-launch[=ADDRESS]       Print an address"));
  CHECK_FALSE(contains(help, "launch{"));
}
