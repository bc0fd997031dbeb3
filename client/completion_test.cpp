#include "client/completion.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "client/completion_answer.h"
#include "client/completion_scripts.h"
#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;
using Of = CompletionQuery::Of;

namespace {

CompletionQuery query_of(std::vector<std::string> words, const std::string& name = "kubectl usbredir") {
  words.insert(words.begin(), "__complete");
  const auto line = parse_command_line(name, words, "usbloop 1.2.3 (abcdef0)");
  REQUIRE(line.completion);
  return *line.completion;
}

std::string answer_to(const std::vector<std::string>& words, const std::vector<CompletionWord>& more = {}) {
  return completion_text(query_of(words), more);
}

ListedDevice listed(std::uint8_t bus, std::uint8_t number, std::uint16_t product, const std::string& serial) {
  ListedDevice device;
  device.device.place = {bus, number, std::to_string(number)};
  device.device.vendor = 0x951;
  device.device.product = product;
  device.device.serial = serial;
  device.name = "Stick";
  return device;
}

}  // namespace

TEST_CASE("what can stand where: a device, then a VMI or one more device") {
  CHECK(query_of({""}).of == Of::devices);
  CHECK(query_of({"1-3", ""}).of == Of::vmis);
  CHECK(query_of({"1-3", "-n", "team", ""}).of == Of::vmis);
  CHECK(query_of({"1-3", "1-4", ""}).of == Of::vmis);
  CHECK(query_of({"--emulate", "stick,image=a", ""}).of == Of::vmis);
  CHECK(query_of({"--no-launch", ""}).of == Of::vmis);
  CHECK(query_of({"--launch", ""}).of == Of::devices);
  CHECK(query_of({"--give-back", ""}).of == Of::devices);
  CHECK(query_of({"--give-back", "1-3", ""}).of == Of::words);
  CHECK(answer_to({"li"}) == "list\tthe devices of this machine\n:4\n");
  CHECK(answer_to({"--give-back", "li"}) == ":4\n");
  CHECK(answer_to({"--emulate", "st"}) ==
        "stick,image=\tan emulated USB stick\nstick,dir=\ta directory as an emulated USB stick\n:6\n");
  CHECK(answer_to({"--emulate", "k"}) == "keyboard,text=\tan emulated keyboard that types\n:6\n");
  CHECK(answer_to({"--emulate", "c"}) == "camera\tan emulated USB camera\n:6\n");
  CHECK(answer_to({"--emulate", "r"}) == "replay,file=\ta device that was recorded\n:6\n");
  CHECK(query_of({"--record", ""}).of == Of::files);
  CHECK(answer_to({"d"}) == "doctor\tlook at each step of a redirection\n:4\n");
  CHECK(answer_to({"-n", "x", "d"}) == ":4\n");  // doctor stands first
  CHECK(query_of({"doctor", ""}).of == Of::devices);
  CHECK(answer_to({"doctor", "li"}) == ":4\n");
  CHECK(query_of({"doctor", "1-3", ""}).of == Of::vmis);
  CHECK(query_of({"doctor", "1-3", "demo", ""}).of == Of::words);
  CHECK(query_of({"--capture", ""}).of == Of::files);
  CHECK(query_of({"doctor", "--emulate", "stick,image=a", "-n", "t", ""}).of == Of::vmis);
  CHECK(answer_to({"completion", "f"}) == "fish\n:4\n");
}

TEST_CASE("the words before say where to look") {
  const auto query = query_of({"--context=lab", "-n", "team", "--kubeconfig", "/k", "1-3", "de"});
  CHECK(query.of == Of::vmis);
  CHECK(query.begun == "de");
  CHECK(query.options.context == "lab");
  CHECK(query.options.name_space == "team");
  CHECK(query.options.kubeconfig == "/k");
}

TEST_CASE("each flag's value has its own words") {
  const std::pair<const char*, Of> kinds[] = {{"-n", Of::namespaces},
                                              {"--namespace", Of::namespaces},
                                              {"--context", Of::contexts},
                                              {"--cluster", Of::clusters},
                                              {"--user", Of::users},
                                              {"--kubeconfig", Of::files},
                                              {"--certificate-authority", Of::files},
                                              {"--token", Of::words}};
  for (const auto& [flag, kind] : kinds) {
    CAPTURE(flag);
    CHECK(query_of({flag, ""}).of == kind);
    if (std::string(flag).size() < 3) continue;
    const auto query = query_of({std::string(flag) + "=be"});
    CHECK(query.of == kind);
    CHECK(query.begun == "be");
    CHECK(query.prefix == std::string(flag) + "=");
  }
  CHECK(answer_to({"--context=b"}, {{"lab", ""}, {"beta", "x"}}) == "--context=beta\tx\n:4\n");
  CHECK(answer_to({"list", "-o", "j"}) == "json\n:4\n");
  CHECK(answer_to({"--kubeconfig", "x"}) == ":0\n");
}

TEST_CASE("each word for --output and --transport is one that is taken, and each that is taken is there") {
  for (const auto& [word, description] : query_of({"list", "-o", ""}).words) {
    CHECK(parse_command_line("usbredir", {"list", "-o", word}, "").options);
  }
  for (const auto& [word, description] : query_of({"--transport", ""}).words) {
    CHECK(parse_command_line("usbredir", {"--transport", word, "1-3", "demo"}, "").options);
  }
  CHECK(query_of({"--transport", ""}).words.size() == 3);
  REQUIRE(query_of({"doctor", "1-3", "demo", "-o", ""}).words.size() == 1);
  CHECK(parse_command_line("usbredir", {"doctor", "1-3", "demo", "-o", "json"}, "").options);
  CHECK(query_of({"list", "-o", ""}).words.size() == 3);
}

TEST_CASE("flags are those of the help, without the hidden ones") {
  const auto help = parse_command_line("usbredir", {"--help"}, "").text;
  const auto query = query_of({"-"});
  CHECK(query.words.size() > 20);
  for (const auto& [word, description] : query.words) {
    CHECK_MESSAGE(contains(help, word), word);
    CHECK_FALSE(description.empty());
  }
  CHECK(contains(answer_to({"--kubec"}), "--kubeconfig\tKubeconfig file"));
  CHECK_FALSE(contains(answer_to({"--"}), "--after"));
}

TEST_CASE("called virtctl, the command comes first") {
  CHECK(completion_text(query_of({"u"}, "virtctl"), {}) == "usbredir\tredirect a USB device of this machine\n:4\n");
  CHECK(query_of({"usbredir", ""}, "virtctl").of == Of::devices);
  CHECK(query_of({"-n", "x", "usbredir", "1-3", ""}, "virtctl").of == Of::vmis);
}

TEST_CASE("words of others do not get into the shell unless they are plain") {
  const auto text = answer_to({"1-3", ""}, {{"demo", "Run\nning\t\033[2J"},
                                            {"$(reboot)", ""},
                                            {"a b", ""},
                                            {"a;b", ""},
                                            {"a\nb", ""},
                                            {"", ""},
                                            {"`x`", ""}});
  CHECK(text == "demo\tRun ning [2J\n:4\n");
}

TEST_CASE("objects of a server become words, whatever their shape") {
  const auto words = words_of_objects(nlohmann::json::parse(R"({"items": [
      {"metadata": {"name": "demo"}, "status": {"phase": "Running"}}, {"metadata": {"name": 7}}, 5, null, {}]})"),
                                      "/status/phase");
  REQUIRE(words.size() == 5);
  CHECK(words[0].word == "demo");
  CHECK(words[0].description == "Running");
  for (std::size_t index = 1; index < words.size(); ++index) CHECK(words[index].word.empty());
  for (const auto& word : words_of_objects(nlohmann::json::parse(R"({"items": 3})"), "/status/phase")) {
    CHECK(word.word.empty());
  }
  CHECK(words_of_objects(nlohmann::json::parse("{}"), "/status/phase").empty());
}

TEST_CASE("devices: an id that one device has, else its place, and every form where one is begun") {
  auto hub = listed(1, 1, 9, "");
  hub.device.hub = true;
  const std::vector<ListedDevice> devices = {hub, listed(1, 3, 0x1666, "A"), listed(1, 4, 0x1666, "B"),
                                             listed(2, 2, 0x2000, "")};
  const auto list_of = [&](const std::string& begun) {
    CompletionQuery query;
    query.of = Of::devices;
    query.begun = begun;
    return completion_text(query, words_of_devices(devices, begun));
  };
  CHECK(list_of("") == "1-3\tStick\n1-4\tStick\n0951:2000\tStick\n:4\n");
  CHECK(list_of("2") == "2-2\tStick\n:4\n");
  CHECK(list_of("serial=") == "serial=A\tStick\nserial=B\tStick\n:4\n");
  CHECK(list_of("port=2") == "port=2-2\tStick\n:4\n");
  CHECK(list_of("0951:1") == ":4\n");
}

TEST_CASE("too many words, or none, are no question") {
  CHECK(query_of({}).of == Of::words);
  CHECK(answer_to(std::vector<std::string>(5000, "-n")) == ":4\n");
  CHECK(answer_to({"--no-such-flag", "1-3", "-"}).find("--namespace") != std::string::npos);
}

TEST_CASE("there is a script for each shell") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto line = parse_command_line("usbredir", {"completion", shell}, "");
    CHECK(line.is_data);
    CHECK(contains(line.text, "__complete"));
    CHECK(line.text.ends_with("\n"));
  }
  const auto line = parse_command_line("usbredir", {"completion", "tcsh"}, "");
  CHECK(line.exit_status == 2);
  CHECK_FALSE(line.is_data);
  CHECK(contains(line.text, "bash, zsh and fish"));
}
