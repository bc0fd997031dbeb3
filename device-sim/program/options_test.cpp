#include "device-sim/program/options.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::testing::contains;

namespace {

CommandLine parse(const std::vector<std::string>& arguments, const std::optional<std::string>& emulate = std::nullopt) {
  return parse_command_line("device-sim", arguments, "usbloop 1.2.3 (abcdef0)", emulate);
}

}  // namespace

TEST_CASE("the command line of virtctl's usbredirect works with the device in the environment") {
  const auto line = parse({"--device", "0951:1666", "--to", "127.0.0.1:40123"}, "stick,image=a.img");
  REQUIRE(line.options);
  CHECK(line.options->spec == "stick,image=a.img");
  CHECK(line.options->device->product == 0x1666);
  CHECK(line.options->to->host == "127.0.0.1");
  CHECK(line.options->to->port == 40123);
}

TEST_CASE("usbredirect's other forms: BUS-DEVICE, =, -k and -v") {
  const auto line = parse({"--device=1-3", "--as=localhost:4000", "-k", "-v", "5", "--emulate", "stick,image=b.img"},
                          "stick,image=a.img");
  REQUIRE(line.options);
  CHECK_FALSE(line.options->device);
  CHECK(line.options->spec == "stick,image=b.img");
  CHECK(line.options->as->port == 4000);
  CHECK(line.options->keepalive);
  CHECK(line.options->verbosity == 5);
}

TEST_CASE("with a desk --device says which of its devices, in any form, and the variables give way to options") {
  const auto parse_at = [](const std::vector<std::string>& arguments, const char* emulate) {
    return parse_command_line("usbredirect", arguments, "", emulate, "desk.yaml");
  };
  const auto by_variable = parse_at({"--device", "01-03", "--to", "h:1"}, "");
  REQUIRE(by_variable.options);
  CHECK(by_variable.options->desk == "desk.yaml");
  CHECK(by_variable.options->spec.empty());
  CHECK(by_variable.options->wanted == "01-03");
  CHECK(parse_at({"--device", "serial=ABC", "--desk", "d.sock", "--to", "h:1"}, "mouse").options->desk == "d.sock");
  for (const auto& [given, wanted] :
       {std::pair("0x951:0x1666", "951:1666"), {"0x951", "0x951"}, {"0xab:lab", "0xab:lab"}}) {
    CHECK(parse_at({"--device", given, "--to", "h:1"}, "").options->wanted == wanted);
  }
  CHECK(parse_at({"--emulate", "mouse", "--to", "h:1"}, "").options->desk.empty());
  CHECK(contains(parse_at({"--to", "h:1"}, "").text, "--device is missing"));
  CHECK(contains(parse_at({"--device", "1-3", "--to", "h:1"}, "mouse").text, "Unset one of them"));
  CHECK(contains(parse_at({"--desk", "d", "--emulate", "mouse", "--to", "h:1"}, "").text, "not both"));
}

TEST_CASE("addresses are HOST:PORT, [IPV6]:PORT or unix:PATH") {
  CHECK(net::parse_address("unix:/tmp/a:b")->path == "/tmp/a:b");
  CHECK(net::parse_address("[::1]:4000")->host == "::1");
  CHECK(net::parse_address("[::1]:4000")->text() == "[::1]:4000");
  CHECK(net::parse_address("localhost:65535")->port == 65535);
  for (const char* text : {"", "localhost", ":4000", "localhost:", "localhost:65536", "localhost:-1", "localhost:4x",
                           "::1:4000", "unix:"}) {
    CHECK_MESSAGE(!net::parse_address(text), text);
  }
}

TEST_CASE("mistakes end with status 2 and say what is wrong") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--to", "localhost:1"}, "no device is described"},
      {{"--emulate", "stick,image=a"}, "one of --to and --as is needed"},
      {{"--emulate", "stick,image=a", "--to", "h:1", "--as", "h:2"}, "one of --to and --as is needed"},
      {{"--emulate", "stick,image=a", "--to", "nowhere"}, "not HOST:PORT"},
      {{"--emulate", "stick,image=a", "--to", "localhost:0"}, "port 0"},
      {{"--emulate", "stick,image=a", "--to", "localhost:1", "--device", "mouse"}, "neither VENDOR:PRODUCT"},
      {{"--emulate", "stick,image=a", "--to", "localhost:1", "-v", "9"}, "9"},
      {{"--bogus"}, "--bogus"}};
  for (const auto& [arguments, expected] : cases) {
    const auto line = parse(arguments);
    CHECK_FALSE(line.options);
    CHECK(line.exit_code == 2);
    CHECK_MESSAGE(contains(line.text, expected), line.text);
    CHECK(contains(line.text, "--help"));
  }
}

TEST_CASE("--help teaches the description of devices, QEMU's side and the exit status") {
  const auto line = parse({"--help"});
  CHECK(line.exit_code == 0);
  for (const char* part :
       {"stick,image=FILE", "usb-redir", "USBLOOP_EMULATE", "Exit status", "--as", "truncate", "medium-error[:"}) {
    CHECK_MESSAGE(contains(line.text, part), part);
  }
}
