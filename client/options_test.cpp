#include "client/options.h"

#include <doctest/doctest.h>

#include "client/object_names.h"
#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

CommandLine parse(const std::vector<std::string>& arguments) {
  return parse_command_line("kubectl usbredir", arguments, "usbloop 1.2.3 (abcdef0)");
}

}  // namespace

TEST_CASE("a device and a VMI are enough") {
  const auto line = parse({"0951:1666", "demo"});
  REQUIRE(line.options);
  CHECK(line.options->selectors == std::vector<Selector>{VendorProduct{0x951, 0x1666}});
  CHECK(line.options->vmi == "demo");
  CHECK(line.options->name_space.empty());
  CHECK(line.options->verbosity == 0);
}

TEST_CASE("a capture belongs to a redirection") {
  const auto line = parse({"1-3", "demo", "--capture", "usb.pcapng", "--capture-size", "1G"});
  REQUIRE(line.options);
  CHECK(line.options->capture.path == "usb.pcapng");
  CHECK(line.options->capture.size == 1U << 30);
  CHECK(contains(parse({"list", "--capture", "usb.pcapng"}).text, "--capture: it belongs to a redirection"));
  CHECK(contains(parse({"1-3", "demo", "--capture-snap", "9"}).text, "--capture-snap: it belongs to --capture"));
}

TEST_CASE("doctor takes the line of a redirection") {
  const auto line = parse({"doctor", "1-3", "vm/demo", "-n", "team", "-o", "json"});
  REQUIRE(line.options);
  CHECK(line.options->doctor);
  CHECK(line.options->doctor_json);
  CHECK(line.options->selectors == std::vector<Selector>{BusDevice{1, 3}});
  CHECK(line.options->vmi == "demo");
  CHECK_FALSE(parse({"doctor", "1-3", "demo"}).options->doctor_json);
  CHECK(parse({"doctor", "--emulate", "stick,image=a", "demo"}).options->doctor);
  CHECK(contains(parse({"doctor", "1-3"}).text, "the VMI is missing"));
  CHECK(contains(parse({"doctor", "list"}).text, "doctor takes a device and a VMI"));
  CHECK(contains(parse({"doctor", "1-3", "demo", "-o", "yaml"}).text, "is not json"));
  CHECK(contains(parse({"doctor", "1-3", "demo", "--capture", "a"}).text, "belongs to a redirection"));
}

TEST_CASE("options may stand anywhere") {
  const auto line = parse({"-n", "team", "01-03", "--context=lab", "demo", "--kubeconfig", "/k", "-vv"});
  REQUIRE(line.options);
  CHECK(line.options->selectors == std::vector<Selector>{BusDevice{1, 3}});
  CHECK(line.options->name_space == "team");
  CHECK(line.options->context == "lab");
  CHECK(line.options->kubeconfig == "/k");
  CHECK(line.options->verbosity == 2);
  CHECK_FALSE(line.options->once);
  CHECK(parse({"--once", "1-3", "demo"}).options->once);
  CHECK(line.options->transport == Transport::automatic);
  CHECK(line.options->desk.empty());
  CHECK(parse({"--desk", "desk.yaml", "01-03", "demo"}).options->desk == "desk.yaml");
  CHECK(parse({"list", "--desk=desk.yaml"}).options->desk == "desk.yaml");
  CHECK(parse({"--transport", "uas", "1-3", "demo"}).options->transport == Transport::uas);
  CHECK(parse({"--transport=bulk-only", "1-3", "demo"}).options->transport == Transport::bulk_only);
  CHECK(parse({"--transport", "bot", "1-3", "demo"}).exit_status == 2);
}

TEST_CASE("with an emulated device only the VMI is named") {
  const auto line = parse({"--emulate", "stick,image=a.img", "demo"});
  REQUIRE(line.options);
  CHECK(line.options->emulate == std::vector<std::string>{"stick,image=a.img"});
  CHECK(line.options->selectors.empty());
  CHECK(line.options->vmi == "demo");
}

TEST_CASE("several devices may be named, emulated ones among them, and the last argument is the VMI") {
  const auto line = parse({"0951:1666", "01-03", "--emulate", "stick,image=a.img", "serial=AB", "demo", "--emulate=b"});
  REQUIRE_MESSAGE(line.options, line.text);
  CHECK(line.options->selectors ==
        std::vector<Selector>{VendorProduct{0x951, 0x1666}, BusDevice{1, 3}, SerialNumber{"AB"}});
  CHECK(line.options->emulate == std::vector<std::string>{"stick,image=a.img", "b"});
  CHECK(line.options->vmi == "demo");
  std::vector<std::string> many(16, "1-3");
  many.emplace_back("demo");
  CHECK(parse(many).options);
  many.insert(many.begin(), "1-4");
  CHECK(contains(parse(many).text, "there are more than 16 devices"));
}

TEST_CASE("a VMI alone asks for the devices, and a device alone is an error") {
  for (const char* name : {"demo", "vm/demo", "vm/1-3"}) {
    const auto line = parse({name});
    REQUIRE_MESSAGE(line.options, line.text);
    CHECK(line.options->pick);
    CHECK(line.options->selectors.empty());
  }
  CHECK_FALSE(parse({"1-3", "demo"}).options->pick);
  CHECK_FALSE(parse({"--emulate", "stick,image=x", "demo"}).options->pick);
  for (const char* device : {"1-3", "0951:1666", "0951:16666", "serial=A", "port=1"}) {
    CHECK_MESSAGE(contains(parse({device}).text, "the VMI is missing after the device"), device);
  }
}

TEST_CASE("--filter adds rules, and --force is for keyboards") {
  const auto line =
      parse({"--filter", "8,-1,-1,-1,1|3,-1,-1,-1,0", "1-3", "demo", "--filter=-1,-1,-1,-1,0", "--force"});
  REQUIRE_MESSAGE(line.options, line.text);
  CHECK(line.options->filter.all().size() == 3);
  CHECK(line.options->force);
  CHECK_FALSE(parse({"1-3", "demo"}).options->force);
  CHECK(parse_command_line("virtctl", {"usbredir", "1-3", "demo"}, "1").options->force);
  CHECK(contains(parse({"1-3", "demo", "--filter", "storage"}).text, "the filter rule \"storage\""));
}

TEST_CASE("how a redirection waits and tells") {
  const auto plain = parse({"1-3", "demo"});
  REQUIRE(plain.options);
  CHECK_FALSE(plain.options->wait);
  CHECK_FALSE(plain.options->events);
  CHECK(plain.options->status);
  CHECK(parse({"--wait", "1-3", "demo"}).options->wait == std::chrono::milliseconds(0));
  CHECK(parse({"1-3", "demo", "--wait=1m30s"}).options->wait == std::chrono::seconds(90));
  CHECK(parse({"1-3", "demo", "-o", "json"}).options->events);
  CHECK_FALSE(parse({"--no-status", "1-3", "demo"}).options->status);
}

TEST_CASE("list needs nothing else, and has forms") {
  for (const char* word : {"list", "--list"}) {
    const auto line = parse({word});
    REQUIRE(line.options);
    CHECK(line.options->list);
    CHECK(line.options->list_format == ListFormat::lines);
  }
  CHECK(parse({"list", "-o", "wide"}).options->list_format == ListFormat::wide);
  CHECK(parse({"-ojson", "list"}).options->list_format == ListFormat::json);
  CHECK(parse({"list", "--output=yaml"}).options->list_format == ListFormat::yaml);
  CHECK(parse({"list", "--watch"}).options->watch);
}

TEST_CASE("a VMI may have the name list: where a device is given, or emulated") {
  CHECK(parse({"0951:1666", "list"}).options->vmi == "list");
  CHECK(parse({"--emulate", "stick,image=a.img", "list"}).options->vmi == "list");
}

TEST_CASE("a VMI is named as kubectl names objects") {
  for (const char* name : {"demo", "vmi/demo", "vm/demo", "vmis/demo", "virtualmachine/demo",
                           "virtualmachineinstance.kubevirt.io/demo", "virtualmachines.v1.kubevirt.io/demo"}) {
    const auto line = parse({"0951:1666", name});
    REQUIRE_MESSAGE(line.options, name);
    CHECK(line.options->vmi == "demo");
  }
  for (const char* name : {"pod/demo", "vmi/", "/demo", "vmi/a/b", "vmi.apps/demo"}) {
    CHECK_MESSAGE(parse({"0951:1666", name}).exit_status == 2, name);
  }
}

TEST_CASE("--give-back needs a device and no VMI") {
  const auto line = parse({"--give-back", "1-3"});
  REQUIRE(line.options);
  CHECK(line.options->give_back);
  CHECK(line.options->selectors == std::vector<Selector>{BusDevice{1, 3}});
  CHECK(line.options->after == 0);
  CHECK(parse({"--give-back", "0951:1666", "--after", "7"}).options->after == 7);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--give-back"},
                                                {"--give-back", "1-3", "demo"},
                                                {"--give-back", "demo"},
                                                {"--give-back", "--emulate", "stick,image=a.img"},
                                                {"--give-back", "1-3", "--after", "0"}}) {
    CHECK(parse(wrong).exit_status == 2);
  }
}

TEST_CASE("kubectl's flags are taken, anywhere") {
  const auto line = parse({"-s",
                           "https://h:1",
                           "1-3",
                           "--token=t",
                           "--cluster",
                           "c",
                           "demo",
                           "--user",
                           "u",
                           "--as",
                           "me",
                           "--as-group",
                           "x",
                           "--as-group=y",
                           "--as-uid",
                           "7",
                           "--certificate-authority",
                           "/ca",
                           "--tls-server-name",
                           "n",
                           "--request-timeout",
                           "1m30s"});
  REQUIRE_MESSAGE(line.options, line.text);
  const auto& over = line.options->overrides;
  CHECK(over.server == "https://h:1");
  CHECK(over.token == "t");
  CHECK(over.cluster == "c");
  CHECK(over.user == "u");
  CHECK(over.as == "me");
  CHECK(over.as_uid == "7");
  CHECK(over.as_groups == std::vector<std::string>{"x", "y"});
  CHECK(over.certificate_authority == "/ca");
  CHECK(over.tls_server_name == "n");
  CHECK_FALSE(over.insecure_skip_tls_verify);
  CHECK(line.options->request_timeout == std::chrono::seconds(90));
  CHECK(parse({"1-3", "demo", "--insecure-skip-tls-verify"}).options->overrides.insecure_skip_tls_verify);
  CHECK(parse({"--as", "me", "--as-group", "x", "1-3", "demo"}).options->vmi == "demo");
  CHECK_FALSE(parse({"1-3", "demo", "--request-timeout", "0"}).options->request_timeout);
  CHECK(parse({"1-3", "demo", "--request-timeout", "soon"}).exit_status == 2);
  CHECK(parse({"1-3", "demo", "--token", ""}).exit_status == 2);
}

TEST_CASE("called as virtctl it takes virtctl's line, with flags anywhere, and ends as virtctl does") {
  const std::vector<std::vector<std::string>> lines = {
      {"--kubeconfig", "K", "usbredir", "0951:1666", "demo", "-n", "team"},
      {"usbredir", "-n", "team", "0951:1666", "--kubeconfig=K", "demo"},
      {"usbredir", "0951:1666", "demo", "--namespace", "team", "--kubeconfig", "K"},
  };
  for (const std::string program : {"virtctl", "kubectl virt"}) {
    for (const auto& arguments : lines) {
      const auto line = parse_command_line(program, arguments, "1");
      REQUIRE_MESSAGE(line.options, line.text);
      CHECK(line.options->kubeconfig == "K");
      CHECK(line.options->name_space == "team");
      CHECK(line.options->selectors == std::vector<Selector>{VendorProduct{0x951, 0x1666}});
      CHECK(line.options->vmi == "demo");
      CHECK(line.options->once);
    }
  }
  const auto virtctl = [](const std::vector<std::string>& arguments) {
    return parse_command_line("virtctl", arguments, "1");
  };
  CHECK(virtctl({"-v", "3", "usbredir", "1-3", "demo"}).options->verbosity == 1);
  CHECK(virtctl({"usbredir", "1-3", "demo", "--v=9"}).options->verbosity == 2);
  CHECK(virtctl({"usbredir", "1-3", "demo"}).options->verbosity == 0);
  CHECK(virtctl({"start", "demo"}).exit_status == 2);
  CHECK(contains(virtctl({"start", "demo"}).text, "cannot run \"start\": this program only knows usbredir"));
  CHECK(contains(virtctl({}).text, "the command is missing"));
  CHECK(contains(virtctl({"usbredir", "1-3"}).text, "the VMI is missing after the device"));
  CHECK(virtctl({"--help"}).exit_status == 0);
  CHECK(contains(virtctl({"--help"}).text, "virtctl usbredir 0951:1666 demo"));
}

TEST_CASE("help and version go to standard output") {
  const auto help = parse({"--help"});
  CHECK(help.exit_status == 0);
  for (const char* part : {"kubectl usbredir 0951:1666 demo", "kubectl usbredir 1-3 demo",
                           "--emulate stick,image=", "clientPassthrough", "Exit status", "--kubeconfig", "--list"}) {
    CHECK_MESSAGE(contains(help.text, part), part);
  }
  const auto version = parse({"--version"});
  CHECK(version.exit_status == 0);
  CHECK(version.text == "usbloop 1.2.3 (abcdef0)\n");
}

TEST_CASE("each wrong usage is told and ends with status 2") {
  struct Case {
    std::vector<std::string> arguments;
    const char* text;
  };
  const Case cases[] = {
      {{}, "the device and the VMI are missing"},
      {{"0951:1666"}, "the VMI is missing after the device"},
      {{"--emulate", "stick,image=x"}, "the VMI is missing"},
      {{"--emulate", "", "demo"}, "--emulate: it is empty"},
      {{"--emulate", "stick,image=x", "--emulate", "", "demo"}, "--emulate: it is empty"},
      {{"0951:1666", "demo", "more"}, "\"demo\""},
      {{"0951:1666", ""}, "the VMI's name: it is empty"},
      {{"stick", "demo"}, "neither a colon nor a dash"},
      {{"0951:1666", "../pods/x"}, "cannot use the VMI's name \"../pods/x\""},
      {{"0951:1666", "Demo"}, "lower-case letters"},
      {{"0951:1666", "demo", "-n", ""}, "--namespace: it is empty"},
      {{"0951:1666", "demo", "-n", "a/b"}, "cannot use the namespace \"a/b\""},
      {{"0951:1666", "demo", "--kubeconfig", ""}, "--kubeconfig: it is empty"},
      {{"--list", "demo"}, "list stands alone"},
      {{"list", "-o", "xml"}, "--output: \"xml\" is not wide, json or yaml"},
      {{"0951:1666", "demo", "-o", "wide"}, "--output: \"wide\" belongs to list"},
      {{"--give-back", "1-3", "-o", "json"}, "--output: \"json\" belongs to list"},
      {{"0951:1666", "demo", "--wait=soon"}, "--wait: \"soon\" is not a time"},
      {{"0951:1666", "demo", "--wait=0"}, "--wait: \"0\" is not a time"},
      {{"0951:1666", "demo", "--watch"}, "--watch: it belongs to list"},
      {{"--wrong", "0951:1666", "demo"}, "unknown flag: --wrong\n"},
      {{"0951:1666", "--wrong=5", "demo"}, "unknown flag: --wrong\n"},
      {{"--", "-2", "demo"}, "the bus before the dash is not a number"},
      {{"0951:1666", "demo", "-x"}, "unknown flag: -x\n"},
  };
  for (const auto& [arguments, text] : cases) {
    const auto line = parse(arguments);
    CHECK_MESSAGE(!line.options, text);
    CHECK(line.exit_status == 2);
    CHECK_MESSAGE(contains(line.text, text), line.text);
    CHECK(contains(line.text, "--help"));
  }
}

TEST_CASE("the names of VMIs and namespaces follow RFC 1123") {
  for (const char* name : {"a", "demo-1", "a.b.c", "0"}) CHECK_MESSAGE(check_vmi_name(name), name);
  for (const char* name : {"", "-a", "a-", "a..b", ".a", "a.", "A", "a_b", "a b", "a/b", "a%2f", "a\n"}) {
    CHECK_MESSAGE(!check_vmi_name(name), name);
  }
  CHECK(check_vmi_name(std::string(63, 'a')));
  CHECK_FALSE(check_vmi_name(std::string(64, 'a')));
  CHECK_FALSE(check_namespace("a.b"));
}

TEST_CASE("the program is named as the person calls it") {
  CHECK(display_name("/usr/bin/kubectl-usbredir") == "kubectl usbredir");
  CHECK(display_name("usbredir") == "usbredir");
  CHECK(display_name("/opt/bin/virtctl") == "virtctl");
  CHECK(display_name("/root/.krew/bin/kubectl-virt") == "kubectl virt");
  CHECK(display_name("C:\\tools\\kubectl-usbredir.exe") == "kubectl usbredir");
}
